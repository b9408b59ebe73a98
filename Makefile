# audiopipe: make, make check, make bench, make install. See README.md.

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR ?= $(PREFIX)/share/man
COMPDIR ?= $(PREFIX)/share/bash-completion/completions
PKGCONFIGDIR ?= $(LIBDIR)/pkgconfig
PLUGINDIR ?= $(LIBDIR)/audiopipe
SHAREDIR ?= $(PREFIX)/share/audiopipe
INSTALL ?= install
PKG_CONFIG ?= pkg-config

VERSION := $(shell sed -n 's/^.define AP_VERSION "\(.*\)"/\1/p' lib/audiopipe.h)
SOVERSION = 0

# make SAN=1: everything with AddressSanitizer and UndefinedBehaviorSanitizer, in a folder of its own.
ifeq ($(SAN),1)
B = build-san
OPT = -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
else
B = build
OPT = -O3
endif

# -std=c11 also means no contraction to FMA: the same samples on every machine.
WARN = -Wall -Wextra -Wno-missing-field-initializers -Wshadow -Wconversion -Werror
CFLAGS ?= -g
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -fPIC -pthread -fno-math-errno -fno-trapping-math \
	$(OPT) $(WARN) $(CFLAGS) $(CPPFLAGS)
ALL_LDFLAGS = $(OPT) -pthread -Wl,--as-needed $(LDFLAGS)

LIBS = libmpg123 sndfile soxr flac vorbisenc vorbis ogg libopusenc fftw3f libmysofa libebur128
LIB_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(LIBS))
LIB_LDLIBS := $(shell $(PKG_CONFIG) --libs $(LIBS)) -lmp3lame -lm -ldl
AV = libavformat libavcodec libavutil libswresample libswscale
AV_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(AV))
AV_LDLIBS := $(shell $(PKG_CONFIG) --libs $(AV))
PLOT = cairo pangocairo
PLOT_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PLOT))
PLOT_LDLIBS := $(shell $(PKG_CONFIG) --libs $(PLOT)) -lm
JOBS = libcjson nettle zlib
JOBS_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(JOBS))
JOBS_LDLIBS := $(shell $(PKG_CONFIG) --libs $(JOBS))

# The separator's plugin for GPUs and TorchScript, if libtorch is there: Debian's libtorch-dev, or make
# LIBTORCH=/folder/of/libtorch.
CXX ?= g++
LIBTORCH ?= /usr
TORCH_INCLUDES = $(filter-out /usr/include,$(LIBTORCH)/include) $(LIBTORCH)/include/torch/csrc/api/include
HAVE_TORCH := $(wildcard $(LIBTORCH)/include/torch/script.h)
TORCH_LIBDIR := $(if $(filter /usr,$(LIBTORCH)),,$(LIBTORCH)/lib)
TORCH_LDLIBS = $(TORCH_LIBDIR:%=-L% -Wl,-rpath,%) -Wl,--no-as-needed -ltorch -ltorch_cpu -lc10

LIB_SRC := $(wildcard lib/*.c)
LIB_OBJ := $(LIB_SRC:%.c=$B/%.o)
AV_OBJ := $(patsubst %.c,$B/%.o,$(wildcard lib/av/*.c))
PLOT_OBJ := $(patsubst %.c,$B/%.o,$(wildcard lib/plot/*.c))
DEMUCS_OBJ := $(patsubst %.c,$B/%.o,$(wildcard lib/demucs/*.c))
KERNEL_CFLAGS = -ffp-contract=fast -fno-signed-zeros -ffinite-math-only -Wno-psabi
ifeq ($(shell $(CC) -dumpmachine | cut -d- -f1),x86_64)
DEMUCS_OBJ += $B/lib/demucs/kernels_avx2.o $B/lib/demucs/kernels_avx512.o
endif
DEMUCS_READER_OBJ := $(patsubst %,$B/lib/demucs/%.o,zip unpickle checkpoint th safetensors bag models)
DEMUCS_LDLIBS = -lcjson -lz -lm
JOBS_OBJ := $(patsubst %.c,$B/%.o,$(wildcard lib/jobs/*.c))
COMMANDS := $(patsubst cmd/%.c,%,$(wildcard cmd/ap-*.c))
SCRIPTS := $(wildcard scripts/ap-*)
SO = $B/libaudiopipe.so.$(SOVERSION)

# make V=1 shows the commands.
Q = $(if $(V),,@)
say = $(if $(V),,@printf '  %-4s %s\n' $1 $@)

all: $(SO) $B/libaudiopipe.a $(COMMANDS:%=$B/%) $(SCRIPTS:scripts/%=$B/%) $(if $(AV_OBJ),$B/audiopipe/av.so) $B/audiopipe/plot.so $B/audiopipe/demucs.so \
	$(if $(HAVE_TORCH),$B/audiopipe/demucs-torch.so)

$B/lib/%.o: lib/%.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(ALL_CFLAGS) $(LIB_CFLAGS) -MMD -MP -DAP_PLUGINDIR='"$(PLUGINDIR)"' -c $< -o $@

$B/lib/av/%.o: lib/av/%.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(ALL_CFLAGS) -Ilib $(AV_CFLAGS) -MMD -MP -c $< -o $@

$B/lib/plot/%.o: lib/plot/%.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(ALL_CFLAGS) -Ilib $(patsubst -I%,-isystem %,$(PLOT_CFLAGS)) -MMD -MP -c $< -o $@

$B/lib/demucs/%.o: lib/demucs/%.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(ALL_CFLAGS) -fopenmp -fvisibility=hidden -Ilib -MMD -MP -c $< -o $@

# The kernels for each instruction set; which of them to use is decided at run time.
$B/lib/demucs/kernels.o: ALL_CFLAGS += $(KERNEL_CFLAGS)
$B/lib/demucs/kernels_avx2.o: KERNEL = -DDM_NAME=avx2 -DDM_WIDTH=8 -DDM_ROWS=4 -DDM_VECTORS=3 -mavx2 -mfma
$B/lib/demucs/kernels_avx512.o: KERNEL = -DDM_NAME=avx512 -DDM_WIDTH=16 -DDM_ROWS=8 -DDM_VECTORS=3 -mavx512f \
	-mavx512vl -mavx512bw -mavx512dq -mavx2 -mfma -mprefer-vector-width=512

$B/lib/demucs/kernels_avx2.o $B/lib/demucs/kernels_avx512.o: lib/demucs/kernels.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(ALL_CFLAGS) $(KERNEL_CFLAGS) $(KERNEL) -fvisibility=hidden -Ilib -MMD -MP -c $< -o $@

# libtorch's headers, as system headers, are not held to the warnings.
$B/lib/demucs/tensor_torch.o: lib/demucs/tensor_torch.cpp
	@mkdir -p $(@D)
	$(call say,CXX)
	$(Q)$(CXX) -std=c++17 -fPIC -fvisibility=hidden $(OPT) -Wall -Wextra -Wshadow -Werror -g $(CPPFLAGS) -Ilib \
		$(TORCH_INCLUDES:%=-isystem %) -MMD -MP -c $< -o $@
$B/lib/jobs/%.o: lib/jobs/%.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(ALL_CFLAGS) -Ilib $(JOBS_CFLAGS) -MMD -MP -c $< -o $@

$B/cmd/%.o: cmd/%.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(ALL_CFLAGS) -Ilib -MMD -MP -c $< -o $@

$(SO): $(LIB_OBJ)
	$(call say,LINK)
	$(Q)$(CC) -shared -Wl,-soname,libaudiopipe.so.$(SOVERSION) $(ALL_LDFLAGS) $^ $(LIB_LDLIBS) -o $@
	$(Q)ln -sf libaudiopipe.so.$(SOVERSION) $B/libaudiopipe.so

# For the unit tests, which reach inside.
$B/libaudiopipe.a: $(LIB_OBJ)
	$(call say,AR)
	$(Q)rm -f $@; $(AR) rcs $@ $^

$B/audiopipe/av.so: $(AV_OBJ) $(SO)
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(CC) -shared $(ALL_LDFLAGS) -Wl,-rpath,'$$ORIGIN/..' $(AV_OBJ) -L$B -laudiopipe $(AV_LDLIBS) -o $@

$B/audiopipe/plot.so: $(PLOT_OBJ) $(SO)
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(CC) -shared $(ALL_LDFLAGS) -Wl,-rpath,'$$ORIGIN/..' $(PLOT_OBJ) -L$B -laudiopipe $(PLOT_LDLIBS) -o $@

FRONT := $(patsubst cmd/%.c,$B/cmd/%.o,$(filter-out cmd/ap-%,$(wildcard cmd/*.c)))

$B/audiopipe/demucs.so: $(DEMUCS_OBJ) $(SO)
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(CC) -shared -fopenmp $(ALL_LDFLAGS) -Wl,-rpath,'$$ORIGIN:$$ORIGIN/..' $(DEMUCS_OBJ) -L$B -laudiopipe \
		$(DEMUCS_LDLIBS) -ldl -o $@

$B/audiopipe/demucs-torch.so: $B/lib/demucs/tensor_torch.o $B/lib/demucs/tensor.o $(SO)
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(CXX) -shared $(ALL_LDFLAGS) -Wl,-rpath,'$$ORIGIN:$$ORIGIN/..' $(filter %.o,$^) -L$B -laudiopipe \
		$(TORCH_LDLIBS) -o $@

$B/ap-%: $B/cmd/ap-%.o $(FRONT) $(SO)
	$(call say,LINK)
	$(Q)$(CC) $(ALL_LDFLAGS) -Wl,-rpath,'$$ORIGIN:$$ORIGIN/../lib' $(filter %.o,$^) -L$B -laudiopipe -lm -o $@

# Only this one links the jobs and what they need.
$B/ap-manifest: $B/cmd/ap-manifest.o $(JOBS_OBJ) $(FRONT) $(SO)
	$(call say,LINK)
	$(Q)$(CC) $(ALL_LDFLAGS) -Wl,-rpath,'$$ORIGIN:$$ORIGIN/../lib' $(filter %.o,$^) -L$B -laudiopipe $(JOBS_LDLIBS) -lm -o $@

# The script and its recipes, beside the commands.
$B/ap-job: scripts/ap-job $(wildcard scripts/recipes/*)
	@mkdir -p $(@D)
	$(Q)ln -sfn ../scripts/recipes $B/recipes
	$(Q)ln -sf ../scripts/ap-job $@
	$(Q)touch -h $@

$B/ap-fetch-model: scripts/ap-fetch-model
	@mkdir -p $(@D)
	$(Q)ln -sf ../$< $@
	$(Q)touch -h $@

UNIT := $(patsubst tests/unit/%.c,$B/tests/unit/%,$(wildcard tests/unit/*.c))

$B/tests/unit/%: tests/unit/%.c tests/unit/test.h $B/libaudiopipe.a
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(ALL_CFLAGS) -Wno-conversion -Wno-sign-conversion -Wno-unused-function -Ilib -MMD -MP $< $B/libaudiopipe.a $(ALL_LDFLAGS) \
		$(LIB_LDLIBS) -o $@

# The readers of the separator's files need no libtorch; the networks are tested through the plugin.
$B/tests/unit/demucs_%: tests/unit/demucs_%.c tests/unit/test.h $(DEMUCS_READER_OBJ) $B/libaudiopipe.a
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(ALL_CFLAGS) -Wno-conversion -Wno-sign-conversion -Wno-unused-function -Ilib -Ilib/demucs -MMD -MP $< \
		$(DEMUCS_READER_OBJ) $B/libaudiopipe.a $(ALL_LDFLAGS) $(LIB_LDLIBS) $(DEMUCS_LDLIBS) -o $@

# Of the CPU backend all kernels are tested, which the plugin would not let it choose.
$B/tests/unit/demucs_tensor: tests/unit/demucs_tensor.c tests/unit/test.h $(DEMUCS_OBJ) $B/libaudiopipe.a
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(ALL_CFLAGS) -Wno-conversion -Wno-sign-conversion -Wno-unused-function -Ilib -Ilib/demucs -MMD -MP $< \
		$(DEMUCS_OBJ) $B/libaudiopipe.a -fopenmp -Wl,--wrap=dm_kernels_usable $(ALL_LDFLAGS) $(LIB_LDLIBS) \
		$(DEMUCS_LDLIBS) -ldl -o $@

# Pages share some sections, which are put in here.
MAN_SRC := $(wildcard man/*.[1-9])
MAN := $(MAN_SRC:%=$B/%)

$B/man/%: man/% $(wildcard man/*.mdoc)
	@mkdir -p $(@D)
	$(Q)sed -e '/^\.\\" output options/{r man/output-options.mdoc' -e 'r man/encoding-options.mdoc' -e 'd}' \
		-e '/^\.\\" stem options/{r man/stem-options.mdoc' -e 'r man/encoding-options.mdoc' -e 'd}' \
		-e '/^\.\\" exit status/{r man/exit-status.mdoc' -e 'd}' $< >$@

# Made anew each time: PREFIX may be another one.
.PHONY: $B/audiopipe.pc
$B/audiopipe.pc:
	@mkdir -p $(@D)
	$(Q)printf '%s\n' 'prefix=$(PREFIX)' 'libdir=$(LIBDIR)' 'includedir=$(INCLUDEDIR)' '' 'Name: audiopipe' \
		'Description: streams of audio: decode, process, encode' 'Version: $(VERSION)' \
		'Libs: -L$${libdir} -laudiopipe' 'Cflags: -I$${includedir}' >$@

$B/audiopipe.bash-completion: scripts/audiopipe.bash-completion Makefile $(wildcard cmd/ap-*.c)
	@mkdir -p $(@D)
	$(Q)sed 's/@COMMANDS@/$(COMMANDS) $(SCRIPTS:scripts/%=%)/' $< >$@

build-tests: all $(UNIT) $(MAN) build-fuzz/fuzz_th

check: build-tests
	tests/run $B

# Everything that has to be right before a change lands: the sanitizers, too.
check-all: build-tests
	$(MAKE) SAN=1 build-tests
	tests/run build build-san

install: all $(MAN) $B/audiopipe.pc $B/audiopipe.bash-completion
	$(INSTALL) -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(LIBDIR) $(DESTDIR)$(INCLUDEDIR) $(DESTDIR)$(PKGCONFIGDIR) $(DESTDIR)$(COMPDIR)
	$(INSTALL) -d $(DESTDIR)$(PLUGINDIR) $(sort $(foreach m,$(MAN_SRC),$(DESTDIR)$(MANDIR)/man$(subst .,,$(suffix $m))))
	$(INSTALL) $(COMMANDS:%=$B/%) $(SCRIPTS) $(DESTDIR)$(BINDIR)
	$(INSTALL) -d $(DESTDIR)$(SHAREDIR)/recipes
	$(INSTALL) -m 644 scripts/recipes/*.sh $(DESTDIR)$(SHAREDIR)/recipes
	$(INSTALL) -m 644 scripts/batch.mk $(DESTDIR)$(SHAREDIR)
	$(INSTALL) -m 644 $(SO) $(DESTDIR)$(LIBDIR)
	ln -sf libaudiopipe.so.$(SOVERSION) $(DESTDIR)$(LIBDIR)/libaudiopipe.so
	$(INSTALL) -m 644 $(wildcard $B/audiopipe/*.so) $(DESTDIR)$(PLUGINDIR)
	$(INSTALL) -m 644 lib/audiopipe.h $(DESTDIR)$(INCLUDEDIR)
	$(INSTALL) -m 644 $B/audiopipe.pc $(DESTDIR)$(PKGCONFIGDIR)
	$(INSTALL) -m 644 $B/audiopipe.bash-completion $(DESTDIR)$(COMPDIR)/ap-decode
	for c in $(filter-out ap-decode,$(COMMANDS) $(SCRIPTS:scripts/%=%)); do ln -sf ap-decode $(DESTDIR)$(COMPDIR)/$$c; done
	for m in $(MAN_SRC); do $(INSTALL) -m 644 $B/$$m $(DESTDIR)$(MANDIR)/man$${m##*.}; done

uninstall:
	rm -f $(COMMANDS:%=$(DESTDIR)$(BINDIR)/%) $(SCRIPTS:scripts/%=$(DESTDIR)$(BINDIR)/%) $(COMMANDS:%=$(DESTDIR)$(COMPDIR)/%) $(DESTDIR)$(LIBDIR)/libaudiopipe.so* \
		$(DESTDIR)$(INCLUDEDIR)/audiopipe.h $(DESTDIR)$(PKGCONFIGDIR)/audiopipe.pc
	rm -f $(SCRIPTS:scripts/%=$(DESTDIR)$(COMPDIR)/%)
	rm -rf $(DESTDIR)$(PLUGINDIR) $(DESTDIR)$(SHAREDIR)
	for m in $(MAN_SRC); do rm -f $(DESTDIR)$(MANDIR)/man$${m##*.}/$${m##*/}; done

# libFuzzer targets: build-fuzz/fuzz_decode CORPUS. CMPLX needs GCC 4.7; clang 14 cannot link clones.
FUZZ := $(patsubst tests/fuzz/%.c,build-fuzz/%,$(wildcard tests/fuzz/*.c))

build-fuzz/%: tests/fuzz/%.c $(LIB_SRC) $(wildcard lib/*.h)
	@mkdir -p $(@D)
	$(call say,FUZZ)
	$(Q)clang -fgnuc-version=4.7 '-Dtarget_clones(...)=unused' -g -O1 -std=c11 -D_GNU_SOURCE -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined \
		-DAP_PLUGINDIR='"/nonexistent"' -Ilib $(LIB_CFLAGS) $< $(LIB_SRC) $(LIB_LDLIBS) -o $@

build-fuzz/fuzz_th: tests/fuzz/fuzz_th.c tests/fuzz/archive.h $(DEMUCS_READER_OBJ:$B/%.o=%.c) lib/error.c
	@mkdir -p $(@D)
	$(call say,FUZZ)
	$(Q)clang -std=gnu11 -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -Ilib -Ilib/demucs \
		$(filter %.c,$^) -lcjson -lz -lm -o $@

build-fuzz/fuzz_manifest: tests/fuzz/fuzz_manifest.c $(wildcard lib/jobs/*.[ch]) $(LIB_SRC) $(wildcard lib/*.h)
	@mkdir -p $(@D)
	$(call say,FUZZ)
	$(Q)clang -fgnuc-version=4.7 '-Dtarget_clones(...)=unused' -g -O1 -std=c11 -D_GNU_SOURCE -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined \
		-DAP_PLUGINDIR='"/nonexistent"' -Ilib $(LIB_CFLAGS) $(filter %.c,$^) $(LIB_LDLIBS) $(JOBS_LDLIBS) -o $@

build-fuzz/fuzz_image: tests/fuzz/fuzz_image.c $(patsubst %,lib/av/%.c,image gif picture fit blur) $(LIB_SRC) $(wildcard lib/*.h)
	@mkdir -p $(@D)
	$(call say,FUZZ)
	$(Q)clang -fgnuc-version=4.7 '-Dtarget_clones(...)=unused' -g -O1 -std=c11 -D_GNU_SOURCE -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined \
		-DAP_PLUGINDIR='"/nonexistent"' -Ilib -Ilib/av $(LIB_CFLAGS) $(AV_CFLAGS) $(filter %.c,$^) $(LIB_LDLIBS) $(AV_LDLIBS) -o $@

fuzz: $(FUZZ)

# The tests of jobs at full length: 200 kills, 500 jobs for 8 runners, 10,000 waiting jobs; how well stems are found.
check-long: build-tests
	AP_LONG=1 AP_TIMEOUT=7200 tests/run $B -- cli/job
	tests/bench/sdr $B

bench: all
	tests/bench/run $B

clean:
	rm -rf build build-san build-fuzz

-include $(shell find $B -name '*.d' 2>/dev/null)

.PHONY: all build-tests check check-all check-long fuzz install uninstall bench clean
.SECONDARY:
