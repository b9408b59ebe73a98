# SPDX-License-Identifier: GPL-3.0-or-later
# batch.mk - rules for folders of audio. In a Makefile of your own, beside the files:
#
#     include /usr/local/share/audiopipe/batch.mk
#     all: $(patsubst %.mp3,%.8d.mp3,$(filter-out %.8d.mp3,$(wildcard *.mp3)))
#
# or without one: make -j4 -f /usr/local/share/audiopipe/batch.mk song1.8d.mp3 song2.8d.mp3
# A file appears when it is complete, so make never takes a half one for done. The rules work in any shell and set nothing
# but their own variables: yours, and how make treats what fails, stay as they are. Make does not know names with blanks:
# for those use ap-job, or a loop of the shell.

AP_8D_FLAGS ?=
AP_LUFS ?= -14
AP_PODCAST_LUFS ?= -16
AP_MODEL ?= dsp
AP_MP3 ?= -b 320

SOUNDS = mp3 flac wav aiff ogg opus m4a

define AP_RULES
%.8d.mp3: %.$1
	ap-8d $$(AP_8D_FLAGS) $$(AP_MP3) $$< -o $$@

%.8d.flac: %.$1
	ap-8d $$(AP_8D_FLAGS) $$< -o $$@

%.loud.mp3: %.$1
	ap-normalize --lufs=$$(AP_LUFS) --limit $$(AP_MP3) $$< -o $$@

%.podcast.mp3: %.$1
	ap-normalize --lufs=$$(AP_PODCAST_LUFS) --limit -b 128 $$< -o $$@

%.karaoke.mp3: %.$1
	ap-separate -n $$(AP_MODEL) --two-stems vocals -s no_vocals $$(AP_MP3) $$< -o $$@

%.stems: %.$1
	rm -rf $$@.part
	ap-separate -n $$(AP_MODEL) --filename '{stem}.{ext}' -t flac -o $$@.part $$<
	mv -T $$@.part $$@

%.tsv: %.$1
	ap-measure --tsv $$< -o $$@
endef

$(foreach s,$(SOUNDS),$(eval $(call AP_RULES,$s)))
