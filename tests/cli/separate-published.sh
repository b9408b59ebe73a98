#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-separate with checkpoints of RoFormers and MDX23C, and with the .yaml files that describe them.
. "$(dirname "$0")/lib.sh"

unset AUDIOPIPE_MODELS XDG_DATA_HOME
export HOME=$PWD/home
data=$tests_folder/data/roformer
cp "$data"/{bs-vocals,mdx23c}.{ckpt,yaml} .
sox "$tests_folder/data/demucs/mix.wav" song.wav trim 0 20000s

# KEY STEM FILE...: the largest difference of files from a golden, as a share of its peak.
difference() {
    /usr/bin/python3 - "$@" <<'END'
import sys
import subprocess
import numpy as np
stems = [np.frombuffer(subprocess.run(["sox", "-V1", path, "-t", "f32", "-"], stdout=subprocess.PIPE, check=True).stdout,
                       "f4").reshape(-1, 2) for path in sys.argv[2:]]
golden = np.fromfile(sys.argv[1], "f4").reshape(-1, len(stems), 2)
frames = np.r_[0:512, 512:len(stems[0]):16]
out = np.stack(stems, 1)[frames]
print("%.9f" % (abs(out - golden).max() / abs(golden).max()))
END
}

finds_the_description_by_the_same_name() {
    ap-separate -n ./mdx23c.ckpt "$tests_folder/data/demucs/mix.wav" -o three --bits float
    [ "$(cd three && echo *)" = "kick.wav snare.wav toms.wav" ]
    below "$(difference "$data/mdx23c.f32" three/{kick,snare,toms}.wav)" 2e-5
}
check finds_the_description_by_the_same_name

takes_the_description_that_it_is_given() {
    mkdir elsewhere
    mv bs-vocals.yaml elsewhere/of-it.yaml
    fails 1 ap-separate -n ./bs-vocals.ckpt song.wav -o none
    grep -q "'./bs-vocals.ckpt' needs the .yaml file that was published with it" stderr
    fails 1 ap-separate -n ./bs-vocals.ckpt --config nowhere.yaml song.wav -o none
    grep -q "cannot open 'nowhere.yaml'" stderr
    ap-separate -n ./bs-vocals.ckpt --config elsewhere/of-it.yaml song.wav -o two --bits float
    [ "$(cd two && echo *)" = "other.wav vocals.wav" ]
    sox -m -v 1 two/other.wav -v 1 two/vocals.wav -b 16 sum.wav
    below "$(sox -m -v 1 sum.wav -v -1 song.wav -n stat 2>&1 | awk '/Maximum amplitude/ { print $3 }')" 0.0001
    cp elsewhere/of-it.yaml bs-vocals.yaml
}
check takes_the_description_that_it_is_given

a_name_is_looked_for_in_the_folders() {
    AUDIOPIPE_MODELS=$PWD ap-separate -n mdx23c song.wav -s snare -t wav --bits float >named.wav
    ap-separate -n ./mdx23c.ckpt song.wav -s snare -t wav --bits float | cmp - named.wav
    AUDIOPIPE_MODELS=$PWD ap-separate --list-models >list
    grep -q "^mdx23c	ready	MDX23C: kick, snare, toms; chunks of 0.74 s" list
    grep -q "^bs-vocals	ready	BS-RoFormer: vocals, other; chunks of 1 s" list
    [ "$(grep -c mdx23c list)" -eq 1 ]
}
check a_name_is_looked_for_in_the_folders

# Names for pairs of files that are called differently.
an_index_pairs_files_of_different_names() {
    mkdir -p folder/elsewhere
    cp mdx23c.ckpt "folder/MDX23C 8KFFT.ckpt"
    cp mdx23c.yaml folder/model_2_stem.yaml
    cp "$data"/bs-vocals.{ckpt,yaml} folder/elsewhere
    cat >folder/index.txt <<'END'
# what they are called
drumsep     "MDX23C 8KFFT.ckpt"       model_2_stem.yaml  # three stems
voice       elsewhere/bs-vocals.ckpt  elsewhere/bs-vocals.yaml
gone        gone.ckpt                 gone.yaml
END
    ap-separate -n ./mdx23c.ckpt song.wav -s snare -t wav --bits float >want.wav
    export AUDIOPIPE_MODELS=$PWD/folder
    ap-separate -n drumsep song.wav -s snare -t wav --bits float | cmp - want.wav
    ap-separate -n "folder/MDX23C 8KFFT.ckpt" song.wav -s snare -t wav --bits float | cmp - want.wav
    ap-separate -n drumsep --config mdx23c.yaml song.wav -s snare -t wav --bits float | cmp - want.wav
    ap-separate -n voice,drumsep song.wav -s vocals_toms -t wav >/dev/null
    ap-separate --list-models >list
    grep -q "^drumsep	ready	MDX23C: kick, snare, toms; chunks of 0.74 s, 4 at a time; 0.368 MB; [0-9.]* GFLOP per second of music$" list
    grep -q "^voice	ready	BS-RoFormer: vocals, other; chunks of 1 s, 2 at a time" list
    if grep -E "model_2_stem|8KFFT|gone" list; then return 1; fi
    fails 1 ap-separate -n gone song.wav -o none
    grep -q "cannot open '$PWD/folder/gone.ckpt'" stderr
    echo 'one two three four' >>folder/index.txt
    fails 1 ap-separate -n drumsep song.wav -o none
    grep -q "^ap-separate: '$PWD/folder/index.txt', line 5: it is not NAME CHECKPOINT" stderr
    [ "$(ap-separate --list-models | grep -c "line 5: it is not NAME")" -eq 1 ]
}
check an_index_pairs_files_of_different_names

# 53 stems: 13,000 tensors, a pickle of more than 1 MiB.
very_many_tensors_are_fine() {
    /usr/bin/python3 "$tests_folder/cli/msst.py" many 53 many
    /usr/bin/python3 - <<'END'
import zipfile
with zipfile.ZipFile("many.ckpt") as file:
    assert len(file.namelist()) > 13000
    assert file.getinfo("archive/data.pkl").file_size > 1 << 20
END
    sox song.wav short.wav trim 0 1000s
    ap-separate -q -j 1 -n ./many.ckpt short.wav -o many --bits float
    [ "$(find many -name '*.wav' | wc -l)" -eq 53 ]
    [ "$(soxi -s many/*.wav | sort -u)" = 1000 ]
    ap-separate -j 1 -n ./many.ckpt short.wav -s "stem 52" -t wav --bits float | cmp - "many/stem 52.wav"
}
check very_many_tensors_are_fine

# A file that is whole and of no model that we know says so; a tensor too many is named.
strangers_are_named() {
    /usr/bin/python3 - "$tests_folder/cli/msst.py" <<'END'
import sys
import numpy as np
sys.argv[1:], path = ["kinds"], sys.argv[1]
exec(open(path).read())
torch_archive("strange.ckpt", {"encoder.weight": np.ones((2, 3), "f4")})
k = KINDS["polar"]
lacking = dict(random_weights(k, 1))
del lacking["mask_estimators.0.to_freqs.2.0.0.bias"]
torch_archive("less.ckpt", lacking)
torch_archive("more.ckpt", dict(random_weights(k, 1), **{"layers.0.0.layers.0.0.to_value_residual_mix.weight": np.ones((3, 10), "f4")}))
write_yaml("more.yaml", k)
write_yaml("less.yaml", k)
END
    fails 1 ap-separate -n ./strange.ckpt song.wav -o none
    grep -q "'./strange.ckpt' has the tensors of no model that is supported (its first is 'encoder.weight')" stderr
    fails 1 ap-separate -n ./more.ckpt song.wav -o none
    grep -q "tensor 'layers.0.0.layers.0.0.to_value_residual_mix.weight' has no place in such a model" stderr
    fails 1 ap-separate -n ./less.ckpt song.wav -o none
    grep -q "tensor 'mask_estimators.0.to_freqs.2.0.0.bias' is missing" stderr
}
check strangers_are_named

# What has no meaning here is named.
options_that_are_not_supported_are_errors() {
    cp mdx23c.ckpt odd.ckpt
    sed 's/^model:/model:\n  num_wheels: 4/' mdx23c.yaml >odd.yaml
    fails 1 ap-separate -n ./odd.ckpt song.wav -o none
    grep -q "'num_wheels', which is not supported" stderr
    sed 's/InstanceNorm/BatchNorm/' mdx23c.yaml >odd.yaml
    fails 1 ap-separate -n ./odd.ckpt song.wav -o none
    grep -q "a value of 'norm' that is not supported" stderr
    for size in n_fft=767 hop_length=768 dim_f=255 bottleneck_factor=64 chunk_size=32641; do
        sed "s/${size%=*}: .*/${size%=*}: ${size#*=}/" mdx23c.yaml >odd.yaml
        fails 1 ap-separate -n ./odd.ckpt song.wav -o none
        grep -q "a value of '${size%=*}' that is not supported" stderr
    done
    for size in stft_n_fft=2047 stft_hop_length=2048 dim_head=7 chunk_size=1024; do
        sed "s/${size%=*}: .*/${size%=*}: ${size#*=}/; /stft_win_length/d" bs-vocals.yaml >odd.yaml
        fails 1 ap-separate -n ./bs-vocals.ckpt --config odd.yaml song.wav -o none
        grep -q "'${size%=*}'" stderr
    done
    for flag in stereo skip_connection use_pope zero_dc; do
        sed "s/  $flag: .*//; s/^model:/model:\n  $flag: maybe/" bs-vocals.yaml >odd.yaml
        fails 1 ap-separate -n ./bs-vocals.ckpt --config odd.yaml song.wav -o none
        grep -q "a value of '$flag' that is not supported" stderr
    done
    sed 's/chunk_size: .*/chunk_size: [44100]/' bs-vocals.yaml >odd.yaml
    fails 1 ap-separate -n ./bs-vocals.ckpt --config odd.yaml song.wav -o none
    grep -q "a value of 'chunk_size' that is not supported" stderr
    for key in dim:model depth:model chunk_size:audio; do
        sed "/^  ${key%:*}: /d" bs-vocals.yaml >odd.yaml
        fails 1 ap-separate -n ./bs-vocals.ckpt --config odd.yaml song.wav -o none
        grep -q "is described without '${key%:*}' (section '${key#*:}')$" stderr
    done
    for size in stft_hop_length=-441 stft_hop_length=0 num_overlap=1e9 dim=1e300 chunk_size=441.5; do
        sed "s/${size%=*}: .*/${size%=*}: ${size#*=}/" bs-vocals.yaml >odd.yaml
        fails 1 ap-separate -n ./bs-vocals.ckpt --config odd.yaml song.wav -o none
        [ "$(grep -c "has ${size%=*} = .*, which is not supported (1.* to [0-9]*)$" stderr)" -eq 1 ]
        [ "$(wc -l <stderr)" -eq 1 ]
    done
    sed 's/- snare/- kick/' mdx23c.yaml >odd.yaml
    fails 1 ap-separate -n ./mdx23c.ckpt --config odd.yaml song.wav -o none
    grep -q "with the stem 'kick' twice" stderr
    [ ! -e none ]
    sed 's/num_blocks_per_scale: 2/num_blocks_per_scale: 1/' mdx23c.yaml >odd.yaml
    fails 1 ap-separate -n ./odd.ckpt song.wav -o none
    grep -q "tensor 'bottleneck_block.blocks.1.* has no place in such a model" stderr
    sed 's/num_channels: 8/num_channels: 9/' mdx23c.yaml >odd.yaml
    fails 1 ap-separate -n ./odd.ckpt song.wav -o none
    grep -q "tensor 'first_conv.weight' has another shape" stderr
    echo 'model: !!python/object:os.system x' >odd.yaml
    fails 1 ap-separate -n ./odd.ckpt song.wav -o none
    grep -q "the tag 'tag:yaml.org,2002:python/object:os.system' is not supported" stderr
}
check options_that_are_not_supported_are_errors

# null is as good as nothing.
defaults_stand_for_null() {
    sed '/^  freqs_per_bands/d; /^  - [0-9]/d; s/^model:/model:\n  freqs_per_bands: null\n  zero_dc: null/' bs-vocals.yaml >null.yaml
    ap-separate -n ./bs-vocals.ckpt song.wav -s vocals -t wav --bits float >want.wav
    ap-separate -n ./bs-vocals.ckpt --config null.yaml song.wav -s vocals -t wav --bits float | cmp - want.wav
}
check defaults_stand_for_null

# num_overlap and chunk_size of the description, as options.
overlap_and_chunk_are_options() {
    sed 's/num_overlap: 4/num_overlap: 2/; s/chunk_size: 32640/chunk_size: 16256/' mdx23c.yaml >less.yaml
    ap-separate -n ./mdx23c.ckpt --config less.yaml song.wav -s toms -t wav --bits float >want.wav
    ap-separate -n ./mdx23c.ckpt --overlap 2 --chunk 16256 song.wav -s toms -t wav --bits float | cmp - want.wav
    fails 2 ap-separate -n ./mdx23c.ckpt --chunk 16257 song.wav -s toms -o none.wav
    grep -q "a multiple of 1024 frames less 128, not of 16257" stderr
    cp "$data"/mel-vocals.{ckpt,yaml} .
    for option in --chunk=441 --chunk=882 --segment=0.02; do
        fails 2 ap-separate -n ./mel-vocals.ckpt "$option" song.wav -s vocals -o none.wav
        grep -q "frames are too short, this model takes 1025 or more" stderr
        [ ! -e none.wav ]
    done
    ap-separate -n ./mel-vocals.ckpt --chunk 1323 song.wav -s vocals -o short.wav
    fails 2 ap-separate -n ./mel-vocals.ckpt --segment=0.001 song.wav -s vocals -o none.wav
}
check overlap_and_chunk_are_options

# A file that was found intact is not summed up again; one that was written since is.
large_files_are_summed_up_once() {
    /usr/bin/python3 - <<'END'
import zipfile
with zipfile.ZipFile("mdx23c.ckpt") as old, zipfile.ZipFile("large.ckpt", "w", zipfile.ZIP_STORED) as new:
    for entry in old.infolist():
        new.writestr(entry.filename, old.read(entry))
    new.writestr("padding", bytes(9 << 20))
END
    cp mdx23c.yaml large.yaml
    export XDG_CACHE_HOME=$PWD/cache
    ap-separate -n ./large.ckpt song.wav -s toms -t wav --bits float >first.wav
    [ "$(find cache/audiopipe/intact -type f | wc -l)" -eq 1 ]
    ap-separate -n ./large.ckpt song.wav -s toms -t wav --bits float | cmp - first.wav
    offset=$(grep -obUaP -m1 'data/0' large.ckpt | head -1 | cut -d: -f1)
    printf '\x01\x02\x03' | dd of=large.ckpt conv=notrunc bs=1 seek=$((offset + 64)) status=none
    fails 1 ap-separate -n ./large.ckpt song.wav -s toms -o none.wav
    grep -q "checksum" stderr
}
check large_files_are_summed_up_once

finish
