#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Plugins that are missing, broken, or of another version.
. "$(dirname "$0")/lib.sh"

sox -n -r 44100 -c 2 -b 16 tone.wav synth 0.3 sine 440
ffmpeg -v error -i tone.wav -c:a aac tone.m4a
mkdir bare
cp "$AP_BUILD"/ap-{decode,plot,separate,tempo} "$AP_BUILD"/libaudiopipe.so* bare
export AUDIOPIPE_PLUGINS=$PWD/bare/audiopipe
mkdir -p "$AUDIOPIPE_PLUGINS"

# uses_PLUGIN OUTPUT: a command that cannot do without it
uses_av() { bare/ap-decode tone.m4a -o "$1"; }
uses_cairo() { bare/ap-plot tone.wav -t png -o "$1"; }
uses_net() { bare/ap-decode http://127.0.0.1:9/x -o "$1"; }
uses_stretch() { bare/ap-tempo -x 2 tone.wav -o "$1"; }
uses_neural() { bare/ap-separate -n htdemucs tone.wav -o "$1"; }

is_checked() {
    local plugin=$1
    [ ! -e "/usr/local/lib/audiopipe/$plugin.so" ] || return 0 # installed: it would be found
    fails 1 "uses_$plugin" out.wav
    grep -q "the plugin $plugin.so is missing$" stderr
    echo garbage >"$AUDIOPIPE_PLUGINS/$plugin.so"
    fails 1 "uses_$plugin" out.wav
    grep -q "cannot load the plugin $plugin.so: " stderr
    echo 'int other;' | gcc -shared -fPIC -x c - -o "$AUDIOPIPE_PLUGINS/$plugin.so"
    fails 1 "uses_$plugin" out.wav
    grep -q "the plugin $plugin.so has no table" stderr
    echo 'struct { unsigned version; unsigned long size; } ap_plugin_table = {4711, 16};' |
        gcc -shared -fPIC -x c - -o "$AUDIOPIPE_PLUGINS/$plugin.so"
    fails 1 "uses_$plugin" out.wav
    grep -q "the plugin $plugin.so is of another version: 4711, not " stderr
    [ ! -e out.wav ]
}
check is_checked av
check is_checked cairo
check is_checked net
check is_checked stretch
check is_checked neural

where_nothing_is_to_do() {
    rm -f "$AUDIOPIPE_PLUGINS"/*
    bare/ap-tempo tone.wav -o same.wav
    [ "$(ap-decode same.wav | md5sum)" = "$(ap-decode tone.wav | md5sum)" ]
}
check where_nothing_is_to_do

finish
