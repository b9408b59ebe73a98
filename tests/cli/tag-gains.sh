#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-measure --write-gain: the gains are in the tags of every format.
. "$(dirname "$0")/tag-lib.sh"

# The gains are those of loudgain, which ap-measure is held against elsewhere; here it is that they are written.
writes_gains() {
    local format gain
    for format in "${formats[@]}"; do
        cp "base.$format" "g.$format"
    done
    sox -D tone.wav quiet.wav vol -12dB
    ap-encode -q quiet.wav -o q.flac
    ap-measure -q --write-gain "${formats[@]/#/g.}" q.flac >report
    for format in mp3 flac ogg wav aiff au m4a; do
        gain=$(ap-measure --replaygain "g.$format" | sed -n 's/^REPLAYGAIN_TRACK_GAIN=//p')
        [ "$(ap-tag "g.$format" | sed -n 's/^REPLAYGAIN_TRACK_GAIN=//p')" = "$gain" ]
    done
    [ "$(ap-tag g.opus | grep -c '^R128_TRACK_GAIN=-\{0,1\}[0-9]*$')" -eq 1 ]
    [ "$(ap-tag g.flac | grep -c ALBUM_GAIN || true)" -eq 0 ]
    # a file with a gain is not measured again, unless that is asked for
    ap-tag -s REPLAYGAIN_TRACK_GAIN="+1.00 dB" g.flac
    ap-measure -q --write-gain --tsv g.flac g.mp3 >report
    [ "$(wc -l <report)" -eq 1 ]
    [ "$(ap-tag g.flac | grep '^REPLAYGAIN_TRACK_GAIN')" = "REPLAYGAIN_TRACK_GAIN=+1.00 dB" ]
    ap-measure -q --regain --tsv g.flac >report
    [ "$(ap-tag g.flac | grep '^REPLAYGAIN_TRACK_GAIN')" != "REPLAYGAIN_TRACK_GAIN=+1.00 dB" ]
    # an album: as soon as one of its files lacks the gain, all are measured
    ap-measure -q --write-gain --album g.flac q.flac g.opus >report
    gain=$(ap-tag g.flac | sed -n 's/^REPLAYGAIN_ALBUM_GAIN=//p')
    [ -n "$gain" ]
    [ "$(ap-tag q.flac | sed -n 's/^REPLAYGAIN_ALBUM_GAIN=//p')" = "$gain" ]
    [ "$(ap-tag g.opus | sed -n 's/^R128_ALBUM_GAIN=//p')" -eq \
        "$(awk -v g="${gain% dB}" 'BEGIN { printf "%.0f", 256 * (g - 5) }')" ]
    ap-measure -q --write-gain --album --tsv g.flac q.flac >report
    [ "$(grep -c 'flac' report || true)" -eq 0 ]
    fails 2 ap-measure --write-gain <tone.wav
    fails 2 ap-measure --write-gain --tee tone.wav
}
check writes_gains

finish
