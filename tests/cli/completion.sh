#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Completion in bash, zsh and fish.
. "$(dirname "$0")/lib.sh"

scripts=$tests_folder/../scripts
export AUDIOPIPE_COMPLETE=$scripts/complete AUDIOPIPE_SPOOL=$work/spool AUDIOPIPE_MODELS=$work
complete_words() { sh "$scripts/complete" "$@" | tr '\n' ' '; }

options_and_their_values() {
    [[ " $(complete_words ap-8d --pa)" == *" --path "* ]]
    [ "$(complete_words ap-8d --path '')" = "circle swing figure8 spiral random " ]
    [ "$(complete_words ap-8d --path=s)" = "--path=circle --path=swing --path=figure8 --path=spiral --path=random " ]
    [ "$(complete_words ap-8d -m '')" = "hrtf pan " ]
    [ "$(complete_words ap-8d -t '')" = "mp3 flac wav aiff ogg opus m4a alac au raw s16le f32le " ]
    [ "$(complete_words ap-plot --type '')" = "png svg json dat " ]
    [ "$(complete_words ap-stitch --type '')" = "mp4 mkv webm " ]
    [ "$(complete_words ap-plot --stems '')" = "@folders " ]
    [ "$(complete_words ap-8d '')" = "@files " ]
    [ "$(complete_words ap-8d --force '')" = "@files " ]
    [ -z "$(complete_words ap-8d --period '')" ]
}
check options_and_their_values

models_and_stems() {
    [[ "$(complete_words ap-separate -n '')" == *"htdemucs_6s "*"dsp @files " ]]
    [ "$(complete_words ap-separate --two-stems '')" = "drums bass other vocals " ]
    [ "$(complete_words ap-separate -n htdemucs_6s --two-stems '')" = "drums bass other vocals guitar piano " ]
    [[ "$(complete_words ap-separate -s '')" == *"no_vocals "* ]]
    [ "$(complete_words ap-hpss -s '')" = "harmonic percussive residual " ]
    [[ "$(complete_words ap-fetch-model '')" == *"htdemucs "* ]]
}
check models_and_stems

jobs_and_recipes() {
    sox -n -r 44100 -c 2 tone.wav synth 1 sine 440
    local id
    id=$(ap-job submit --recipe 8d tone.wav)
    [[ " $(complete_words ap-job '')" == *" submit "* ]]
    [[ " $(complete_words ap-job submit --recipe '')" == *" 8d "*" video "* ]]
    [[ " $(complete_words ap-job submit --recipe=video --set '')" == *" size= fit=contain "* ]]
    [[ " $(complete_words ap-job submit --set '')" == *" period= mode=hrtf mode=pan "* ]]
    [[ " $(complete_words ap-job submit -)" == *" --recipe "* ]]
    [[ " $(complete_words ap-job run -)" == *" --jobs "*" --quiet "* ]]
    [ "$(complete_words ap-job submit '')" = "@files " ]
    [ "$(complete_words ap-job status '')" = "$id " ]
}
check jobs_and_recipes

servers_and_tokens() {
    command -v ap-serve >/dev/null || skip "ap-serve was not built"
    [[ " $(complete_words ap-serve --l)" == *" --listen "* ]]
    [ "$(complete_words ap-serve --role '')" = "user admin machine " ]
    [ "$(complete_words ap-serve --certificate '')" = "@files " ]
    [ "$(complete_words ap-serve '')" = "token " ]
    [ "$(complete_words ap-serve token '')" = "add list remove " ]
}
check servers_and_tokens

# in_bash WORD...: what the last word of a command line can become
in_bash() (
    sed 's/@COMMANDS@/ap-8d/' "$scripts/audiopipe.bash-completion" >bash-completion
    # shellcheck disable=SC1091
    . ./bash-completion
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
    _audiopipe "$1"
    echo "${COMPREPLY[*]}"
)
bash_completes() {
    [ "$(in_bash ap-8d --pa)" = --path ]
    [ "$(in_bash ap-8d --path = s)" = "swing spiral" ]
    [ "$(in_bash ap-8d --path =)" = "circle swing figure8 spiral random" ]
    [ "$(in_bash ap-8d -m h)" = hrtf ]
    [ "$(in_bash ap-8d --type a)" = "aiff alac au" ]
    [ "$(in_bash ap-job submit --set mode = p)" = pan ]
    : >'a song.wav'
    mkdir -p 'a folder'
    [ "$(in_bash ap-8d 'a s')" = 'a song.wav' ]
    [ "$(in_bash ap-plot --stems a)" = 'a folder' ]
}
check bash_completes

fish_completes() {
    command -v fish >/dev/null || skip "fish is missing"
    sed "s,@SHAREDIR@,$scripts,; s/@COMMANDS@/ap-8d ap-plot/" "$scripts/audiopipe.fish-completion" >fish-completion
    completes_in_fish() { HOME=$work fish --no-config -c "source fish-completion; complete -C '$1'" | cut -f 1 | tr '\n' ' '; }
    [ "$(completes_in_fish 'ap-8d --path s')" = "spiral swing " ]
    [ "$(completes_in_fish 'ap-8d --pa')" = "--path " ]
    [[ "$(completes_in_fish 'ap-plot -t ')" == *"svg "* ]]
    mkdir -p 'a folder'
    [[ "$(completes_in_fish 'ap-plot --stems a')" == *"folder"* ]]
}
check fish_completes

zsh_completes() {
    command -v zsh >/dev/null || skip "zsh is missing"
    mkdir -p zsh
    sed "s,@SHAREDIR@,$scripts,; s/@COMMANDS@/ap-8d ap-plot/" "$scripts/audiopipe.zsh-completion" >zsh/_audiopipe
    cat >zshrc <<'END'
fpath=($PWD/zsh $fpath)
autoload -Uz compinit && compinit -u -D
compadd() { print -r -- "${@[3,-1]}" "${(@P)@[-1]}" >>added; builtin compadd "$@"; }
PS1='> '
END
    /usr/bin/python3 - <<'END'
import os, pty, select, time
pid, fd = pty.fork()
if pid == 0:
    os.environ["ZDOTDIR"] = os.getcwd()
    os.rename("zshrc", ".zshrc")
    os.execvp("zsh", ["zsh", "-i"])
def read(seconds):
    end, out = time.time() + seconds, b""
    while time.time() < end:
        if select.select([fd], [], [], 0.1)[0]:
            try:
                out += os.read(fd, 65536)
            except OSError:
                break
    return out
deadline, out = time.time() + 30, b""
while b"> " not in out and time.time() < deadline:
    out += read(0.2)
os.write(fd, b"ap-8d --path sw\t")
deadline, out = time.time() + 30, b""
while b"swing" not in out and time.time() < deadline:
    out += read(0.2)
os.write(fd, b"\x03exit\n")
read(0.5)
assert b"swing" in out, out
END
}
check zsh_completes

finish
