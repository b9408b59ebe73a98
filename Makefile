# audiopipe: make, make check, make bench, make install. See README.md.

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR ?= $(PREFIX)/share/man
COMPDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR ?= $(PREFIX)/share/zsh/site-functions
FISHDIR ?= $(PREFIX)/share/fish/vendor_completions.d
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
# The engine's tests take half the time with it.
NEURAL_OPT = -O2
else
B = build
OPT = -O3
endif

# -std=c11 also means no contraction to FMA: the same samples on every machine.
WARN = -Wall -Wextra -Wno-missing-field-initializers -Wshadow -Werror
CFLAGS ?= -g
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -fPIC -pthread -fno-math-errno -fno-trapping-math -fno-semantic-interposition \
	$(OPT) $(WARN) $(CFLAGS) $(CPPFLAGS)
ALL_LDFLAGS = $(OPT) -pthread -Wl,--as-needed $(LDFLAGS)

# ---- what each folder needs

# $(call package,NAME,PKG-CONFIG NAMES): sets NAME_CFLAGS and NAME_LDLIBS.
define package
$1_CFLAGS := $$(patsubst -I%,-isystem %,$$(shell $$(PKG_CONFIG) --cflags $2))
$1_LDLIBS := $$(shell $$(PKG_CONFIG) --libs $2)
endef

$(eval $(call package,CORE,libmpg123 sndfile soxr flac vorbisenc vorbis ogg opus libopusenc fftw3f libmysofa libebur128))
CORE_LDLIBS += -lmp3lame -lm -ldl
$(eval $(call package,AV,libavformat libavcodec libavutil libswresample libswscale libheif lcms2))
$(eval $(call package,CAIRO,cairo pangocairo))
CAIRO_LDLIBS += -lm
HAVE_STRETCH := $(shell $(PKG_CONFIG) --exists rubberband && echo yes)
ifeq ($(HAVE_STRETCH),yes)
$(eval $(call package,STRETCH,rubberband))
endif
$(eval $(call package,NET,libcurl nettle))
$(eval $(call package,JOBS,libcjson nettle zlib))
# GNU libmicrohttpd, which needs GnuTLS, if it is there: without it there is no ap-serve.
HAVE_MHD := $(shell $(PKG_CONFIG) --exists libmicrohttpd gnutls && echo yes)
ifdef HAVE_MHD
# JSON Web Tokens, if librhonabwy is there.
HAVE_JWT := $(shell $(PKG_CONFIG) --exists librhonabwy && echo yes)
$(eval $(call package,SERVE,libmicrohttpd gnutls libcjson nettle zlib $(if $(HAVE_JWT),librhonabwy)))
SERVE_CFLAGS += $(if $(HAVE_JWT),-DAP_HAVE_JWT)
endif
NEURAL_LDLIBS = -lcjson -lyaml -lz -lm -ldl

# libtorch for GPUs and TorchScript, if it is there: Debian's libtorch-dev, or make LIBTORCH=/folder/of/libtorch.
CXX ?= g++
LIBTORCH ?= /usr
TORCH_INCLUDES = $(filter-out /usr/include,$(LIBTORCH)/include) $(LIBTORCH)/include/torch/csrc/api/include
HAVE_TORCH := $(wildcard $(LIBTORCH)/include/torch/script.h)
TORCH_LIBDIR := $(if $(filter /usr,$(LIBTORCH)),,$(LIBTORCH)/lib)
TORCH_LDLIBS = $(TORCH_LIBDIR:%=-L% -Wl,-rpath,%) -Wl,--no-as-needed -ltorch -ltorch_cpu -lc10

# ---- sources: a folder under lib/ and all below it

sources = $(shell find $(1:%=lib/%) -name '*.c' | sort)
objects = $(patsubst %.c,$B/%.o,$(call sources,$1))

# Files that are texts in the program: report.css is ap_report_css.
embedded = $(patsubst %,$B/%.o,$(shell find $(1:%=lib/%) -name '*.css' -o -name '*.html' -o -name '*.js' -o -name '*.json' | sort))

CORE := base dsp stream formats stages pictures
CORE_SRC := $(call sources,$(CORE))
CORE_OBJ := $(call objects,$(CORE))
JOBS_OBJ := $(call objects,jobs) $(call embedded,jobs)
SERVE_OBJ := $(call objects,serve) $(call embedded,serve)
AV_OBJ := $(call objects,plugins/av)
CAIRO_OBJ := $(call objects,plugins/cairo)
NET_OBJ := $(call objects,plugins/net)
STRETCH_OBJ := $(call objects,plugins/stretch)
NEURAL_OBJ := $(call objects,plugins/neural)
FRONT_OBJ := $(patsubst %.c,$B/%.o,$(wildcard cmd/front/*.c))
COMMANDS := $(filter-out $(if $(HAVE_MHD),,ap-serve),$(patsubst cmd/%.c,%,$(wildcard cmd/ap-*.c)))
SCRIPTS := $(wildcard scripts/ap-*)
SO = $B/libaudiopipe.so.$(SOVERSION)
PLUGINS = av cairo net neural $(if $(HAVE_STRETCH),stretch) $(if $(HAVE_TORCH),neural-torch)

# make V=1 shows the commands.
Q = $(if $(V),,@)
say = $(if $(V),,@printf '  %-4s %s\n' $1 $@)

all: $(SO) $B/libaudiopipe.a $(COMMANDS:%=$B/%) $(SCRIPTS:scripts/%=$B/%) $(PLUGINS:%=$B/audiopipe/%.so)

# ---- objects: one recipe; each folder adds its flags in MORE

$B/lib/%: MORE = -Wconversion $(CORE_CFLAGS) -DAP_PLUGINDIR='"$(PLUGINDIR)"'
$B/lib/jobs/%: MORE = -Wconversion $(JOBS_CFLAGS)
$B/lib/serve/%: MORE = -Wconversion $(SERVE_CFLAGS)
$B/lib/plugins/%: MORE = -Wconversion -fvisibility=hidden
$B/lib/plugins/neural/%: MORE = -Wconversion -fvisibility=hidden $(NEURAL_OPT)
$B/lib/plugins/av/%: MORE = -Wconversion -fvisibility=hidden $(AV_CFLAGS)
$B/lib/plugins/cairo/%: MORE = -Wconversion -fvisibility=hidden $(CAIRO_CFLAGS)
$B/lib/plugins/stretch/%: MORE = -Wconversion -fvisibility=hidden $(STRETCH_CFLAGS)
$B/lib/plugins/net/%: MORE = -Wconversion -fvisibility=hidden $(NET_CFLAGS)
$B/cmd/%: MORE = -Wconversion -Icmd

define compile
@mkdir -p $(@D)
$(call say,CC)
$(Q)$(CC) $(ALL_CFLAGS) $(MORE) -Ilib -MMD -MP -c $< -o $@
endef

$B/%.o: %.c
	$(compile)

define embed
@mkdir -p $(@D)
$(Q)name=ap_$$(basename $< | tr . _) && { printf 'extern const char %s[];\nconst char %s[] =\n' "$$name" "$$name" && \
	sed 's/\\/\\\\/g; s/"/\\"/g; s/.*/"&\\n"/' $< && echo ';'; } >$@
endef

$B/%.css.c: %.css
	$(embed)
$B/%.html.c: %.html
	$(embed)
$B/%.js.c: %.js
	$(embed)
$B/%.json.c: %.json
	$(embed)
$B/%.css.o $B/%.html.o $B/%.js.o $B/%.json.o: MORE =
$B/%.o: $B/%.c
	$(compile)

# The kernels for each instruction set; which of them to use is decided at run time.
CPU = $B/lib/plugins/neural/cpu
KERNEL_CFLAGS = -ffp-contract=fast -fno-signed-zeros -ffinite-math-only -Wno-psabi
$(CPU)/kernels%: ALL_CFLAGS += $(KERNEL_CFLAGS)
$(CPU)/kernels_avx2.o: ALL_CFLAGS += -DNN_NAME=avx2 -DNN_WIDTH=8 -DNN_ROWS=4 -DNN_VECTORS=3 -mavx2 -mfma
$(CPU)/kernels_avx512.o: ALL_CFLAGS += -DNN_NAME=avx512 -DNN_WIDTH=16 -DNN_ROWS=8 -DNN_VECTORS=3 -mavx512f \
	-mavx512vl -mavx512bw -mavx512dq -mavx2 -mfma -mprefer-vector-width=512
ifeq ($(shell $(CC) -dumpmachine | cut -d- -f1),x86_64)
NEURAL_OBJ += $(CPU)/kernels_avx2.o $(CPU)/kernels_avx512.o
endif
$(CPU)/kernels_avx2.o $(CPU)/kernels_avx512.o: lib/plugins/neural/cpu/kernels.c
	$(compile)

# libtorch's headers, as system headers, are not held to the warnings.
TORCH_OBJ = $B/lib/plugins/neural/torch/torch.o
$(TORCH_OBJ): lib/plugins/neural/torch/torch.cpp
	@mkdir -p $(@D)
	$(call say,CXX)
	$(Q)$(CXX) -std=c++17 -fPIC -fvisibility=hidden $(OPT) -Wall -Wextra -Wshadow -Werror -g $(CPPFLAGS) -Ilib \
		$(TORCH_INCLUDES:%=-isystem %) -MMD -MP -c $< -o $@

# ---- the library, its plugins, the commands

# Commands and plugins find the library in the build folder, and where make install puts it, wherever both are moved to.
# Packages for a system's own folders need none of this: make RUNPATH=
RUNPATH ?= yes
comma := ,
runpath = $(if $(RUNPATH),-Wl$(comma)-rpath$(comma)'$$ORIGIN:$$ORIGIN/$1')

$(SO): $(CORE_OBJ) lib/libaudiopipe.map
	$(call say,LINK)
	$(Q)$(CC) -shared -Wl,-soname,libaudiopipe.so.$(SOVERSION) -Wl,--version-script=lib/libaudiopipe.map $(ALL_LDFLAGS) \
		$(CORE_OBJ) $(CORE_LDLIBS) -o $@
	$(Q)ln -sf libaudiopipe.so.$(SOVERSION) $B/libaudiopipe.so

# Jobs are linked into the commands that keep them; the other archives are for the unit tests, which reach inside.
define archive
@mkdir -p $(@D)
$(call say,AR)
$(Q)rm -f $@; $(AR) rcs $@ $^
endef
$B/libaudiopipe.a: $(CORE_OBJ)
	$(archive)
$B/jobs.a: $(JOBS_OBJ)
	$(archive)
$B/serve.a: $(SERVE_OBJ)
	$(archive)
$B/av.a: $(AV_OBJ)
	$(archive)
$B/net.a: $(NET_OBJ)
	$(archive)
$B/neural.a: $(NEURAL_OBJ)
	$(archive)

define plugin
@mkdir -p $(@D)
$(call say,LINK)
$(Q)$(PLUGIN_LD) -shared $(ALL_LDFLAGS) $(call runpath,..) $(filter %.o,$^) -L$B -laudiopipe $(PLUGIN_LDLIBS) -o $@
endef
PLUGIN_LD = $(CC)
$B/audiopipe/av.so: PLUGIN_LDLIBS = $(AV_LDLIBS)
$B/audiopipe/av.so: $(AV_OBJ) $(SO)
	$(plugin)
$B/audiopipe/cairo.so: PLUGIN_LDLIBS = $(CAIRO_LDLIBS)
$B/audiopipe/cairo.so: $(CAIRO_OBJ) $(SO)
	$(plugin)
$B/audiopipe/stretch.so: PLUGIN_LDLIBS = $(STRETCH_LDLIBS) -lm
$B/audiopipe/stretch.so: $(STRETCH_OBJ) $(SO)
	$(plugin)
$B/audiopipe/net.so: PLUGIN_LDLIBS = $(NET_LDLIBS)
$B/audiopipe/net.so: $(NET_OBJ) $(SO)
	$(plugin)
$B/audiopipe/neural.so: PLUGIN_LDLIBS = $(NEURAL_LDLIBS)
$B/audiopipe/neural.so: $(NEURAL_OBJ) $(SO)
	$(plugin)
$B/audiopipe/neural-torch.so: PLUGIN_LD = $(CXX)
$B/audiopipe/neural-torch.so: PLUGIN_LDLIBS = $(TORCH_LDLIBS)
$B/audiopipe/neural-torch.so: $(TORCH_OBJ) $B/lib/plugins/neural/tensor/tensor.o $(SO)
	$(plugin)

$B/ap-%: $B/cmd/ap-%.o $(FRONT_OBJ) $(SO)
	$(call say,LINK)
	$(Q)$(CC) $(ALL_LDFLAGS) $(call runpath,../lib) $(filter %.o,$^) $(filter %.a,$^) -L$B -laudiopipe $(COMMAND_LDLIBS) -lm -o $@

# Only these link the jobs and what they need.
$B/ap-manifest $B/ap-job: COMMAND_LDLIBS = $(JOBS_LDLIBS)
$B/ap-manifest $B/ap-job: $B/jobs.a

$B/ap-normalize: $(patsubst %.c,$B/%.o,$(wildcard cmd/normalize/*.c))
$B/ap-separate: $(patsubst %.c,$B/%.o,$(wildcard cmd/separate/*.c))

$B/ap-serve: COMMAND_LDLIBS = $(SERVE_LDLIBS)
$B/ap-serve: $B/serve.a $B/jobs.a | $B/recipe-shell

# The verbs of ap-job, and what recipes run in, beside it.
$B/ap-job: $(patsubst %.c,$B/%.o,$(wildcard cmd/job/*.c)) | $B/recipe-shell
$B/recipe-shell: scripts/recipe-shell $(wildcard scripts/recipes/* scripts/hooks/*)
	@mkdir -p $(@D)
	$(Q)ln -sfn ../scripts/recipes $B/recipes
	$(Q)ln -sfn ../scripts/hooks $B/hooks
	$(Q)ln -sf ../$< $@
	$(Q)touch -h $@

$(SCRIPTS:scripts/%=$B/%): $B/%: scripts/%
	@mkdir -p $(@D)
	$(Q)ln -sf ../$< $@
	$(Q)touch -h $@

# ---- tests

UNIT := $(patsubst tests/unit/%.c,$B/tests/unit/%,$(shell find tests/unit -name '*.c' $(if $(HAVE_MHD),,-not -path '*/serve/*')))

define link_test
$(call say,LINK)
$(Q)$(CC) $< $(filter-out $B/libaudiopipe.a,$(filter %.a,$^)) $B/libaudiopipe.a $(ALL_LDFLAGS) $(CORE_LDLIBS) $(TEST_LDLIBS) -o $@
endef

# The unit tests mirror lib/; those of jobs and plugins link what they test.
$B/tests/unit/%.o: MORE = -Wno-unused-function -Itests/unit -Itests/fuzz $(UNIT_CFLAGS)
$B/tests/unit/%: $B/tests/unit/%.o $B/libaudiopipe.a
	$(link_test)

# Kernels are also tested as they are without AVX2: the loader would choose the clones.
$B/base/%: MORE = -Wconversion -DAP_HOT=
$B/base/%.o: %.c
	$(compile)
$B/dsp-base.a: $(patsubst %.c,$B/base/%.o,$(call sources,dsp))
	$(archive)
DSP_BASE := $(patsubst $B/tests/unit/dsp/%,$B/tests/unit/dsp-base/%,$(filter $B/tests/unit/dsp/%,$(UNIT)))
$(DSP_BASE): $B/tests/unit/dsp-base/%: $B/tests/unit/dsp/%.o $B/dsp-base.a $B/libaudiopipe.a
	@mkdir -p $(@D)
	$(link_test)

$B/tests/unit/jobs/%: TEST_LDLIBS = $(JOBS_LDLIBS)
$(filter $B/tests/unit/jobs/%,$(UNIT)): $B/jobs.a
$B/tests/unit/serve/%: UNIT_CFLAGS = $(SERVE_CFLAGS)
$B/tests/unit/serve/%: TEST_LDLIBS = $(SERVE_LDLIBS)
$(filter $B/tests/unit/serve/%,$(UNIT)): $B/serve.a $B/jobs.a
$B/tests/unit/plugins/net/%: TEST_LDLIBS = $(NET_LDLIBS)
$(filter $B/tests/unit/plugins/net/%,$(UNIT)): $B/net.a
$B/tests/unit/formats/ogg/%: UNIT_CFLAGS = $(CORE_CFLAGS)
$B/tests/unit/formats/ogg/%: TEST_LDLIBS = -lvorbisfile
$B/tests/unit/plugins/neural/%: TEST_LDLIBS = $(NEURAL_LDLIBS)
# All kernels are tested, not only those that the plugin would choose.
$(patsubst %,$B/tests/unit/plugins/neural/%,tensor/bands tensor/tensor cpu/attend nets/published): TEST_LDLIBS += -Wl,--wrap=nn_kernels_usable
$(filter $B/tests/unit/plugins/neural/%,$(UNIT)): $B/neural.a

# Pages share some sections, which are put in here.
MAN_SRC := $(wildcard man/*.[1-9])
MAN := $(MAN_SRC:%=$B/%)

$B/man/%: man/% $(wildcard man/*.mdoc)
	@mkdir -p $(@D)
	$(Q)sed -e '/^\.\\" output options/{r man/output-options.mdoc' -e 'r man/encoding-options.mdoc' -e 'd}' \
		-e '/^\.\\" stem options/{r man/stem-options.mdoc' -e 'r man/encoding-options.mdoc' -e 'd}' \
		-e '/^\.\\" many options/{r man/many-outputs.mdoc' -e 'r man/many-inputs.mdoc' -e 'd}' \
		-e '/^\.\\" many inputs/{r man/many-inputs.mdoc' -e 'd}' \
		-e '/^\.\\" exit status/{r man/exit-status.mdoc' -e 'd}' \
		-e '/^\.\\" functions/{r $B/man/functions.mdoc' -e 'd}' $< | \
		sed -e '/^\.\\" raw option/{r man/raw-option.mdoc' -e 'd}' \
		-e '/^\.\\" name options/{r man/name-options.mdoc' -e 'd}' \
		-e '/^\.\\" standard options/{r man/standard-options.mdoc' -e 'd}' \
		-e '/^\.\\" common options/{r man/common-options.mdoc' -e 'd}' >$@

# The synopsis of the library is what its header declares.
$B/man/libaudiopipe.3: $B/man/functions.mdoc
$B/man/functions.mdoc: lib/audiopipe.h scripts/functions.awk
	@mkdir -p $(@D)
	$(Q)awk -f scripts/functions.awk $< >$@

# Made anew each time: PREFIX may be another one.
.PHONY: $B/audiopipe.pc
$B/audiopipe.pc:
	@mkdir -p $(@D)
	$(Q)printf '%s\n' 'prefix=$(PREFIX)' 'libdir=$(LIBDIR)' 'includedir=$(INCLUDEDIR)' '' 'Name: audiopipe' \
		'Description: streams of audio: decode, process, encode' 'Version: $(VERSION)' \
		'Libs: -L$${libdir} -laudiopipe' 'Cflags: -I$${includedir}' >$@

# Made anew, too: they name the folder of the script that they share.
SHELLS = bash zsh fish
.PHONY: $(SHELLS:%=$B/audiopipe.%-completion)
$(SHELLS:%=$B/audiopipe.%-completion): $B/%: scripts/%
	@mkdir -p $(@D)
	$(Q)sed 's/@COMMANDS@/$(COMMANDS) $(SCRIPTS:scripts/%=%)/; s,@SHAREDIR@,$(SHAREDIR),' $< >$@

build-tests: all $(UNIT) $(DSP_BASE) $(MAN) build-fuzz/fuzz_th

check: build-tests
	tests/run $B

# Everything that has to be right before a change lands: the sanitizers, too.
check-all: build-tests
	$(MAKE) SAN=1 build-tests
	tests/run build build-san

# The tests of jobs at full length: 200 kills, 500 jobs for 8 runners, 10,000 waiting jobs; 100 kills of ap-serve, and 10,000 odd
# requests; a cluster whose parts die; how well stems are found.
check-long: build-tests
	AP_LONG=1 AP_TIMEOUT=7200 tests/run $B -- "cli/job-.*" "cli/serve.*" "cli/slurm.*"
	tests/bench/sdr $B

# The engine by itself, and the peak of the processor.
$B/tests/bench/engine: tests/bench/engine.c tests/bench/profile.c $B/neural.a $B/libaudiopipe.a
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(ALL_CFLAGS) -Ilib -Itests/bench $^ $(ALL_LDFLAGS) -Wl,--wrap=nn_kernels_usable -Wl,--wrap=nn_threads_run \
		$(CORE_LDLIBS) $(NEURAL_LDLIBS) -o $@

# What a runner does to get a job.
$B/tests/bench/claim: tests/bench/claim.c $B/jobs.a $B/libaudiopipe.a
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(ALL_CFLAGS) $(JOBS_CFLAGS) -Ilib $^ $(ALL_LDFLAGS) $(JOBS_LDLIBS) $(CORE_LDLIBS) -o $@

bench: all $B/tests/bench/engine $B/tests/bench/claim
	tests/bench/run $B
	tests/bench/folders $B
	tests/bench/serve $B
	tests/bench/stores $B
	tests/bench/workers $B

# libFuzzer targets: build-fuzz/fuzz_decode CORPUS. CMPLX needs GCC 4.7; clang 14 cannot link clones.
FUZZ := $(patsubst tests/fuzz/%.c,build-fuzz/%,$(wildcard tests/fuzz/*.c))
FUZZ_CFLAGS = -fgnuc-version=4.7 '-Dtarget_clones(...)=unused' -g -O1 -std=c11 -D_GNU_SOURCE \
	-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -DAP_PLUGINDIR='"/nonexistent"' -Ilib -Itests/fuzz
fuzz_objects = $(patsubst %.c,build-fuzz/%.o,$1)

build-fuzz/%.o: %.c
	@mkdir -p $(@D)
	$(call say,FUZZ)
	$(Q)clang $(FUZZ_CFLAGS) $(CORE_CFLAGS) $(AV_CFLAGS) -MMD -MP -c $< -o $@

$(FUZZ): build-fuzz/%: build-fuzz/tests/fuzz/%.o $(call fuzz_objects,$(CORE_SRC))
	$(call say,LINK)
	$(Q)clang -fsanitize=fuzzer,address,undefined $(filter %.o,$^) $(CORE_LDLIBS) $(FUZZ_LDLIBS) -o $@

build-fuzz/fuzz_th: FUZZ_LDLIBS = -lcjson -lyaml -lz
build-fuzz/fuzz_th: $(call fuzz_objects,$(wildcard lib/plugins/neural/files/*.c))
build-fuzz/fuzz_http: $(call fuzz_objects,lib/serve/who/parse.c)
build-fuzz/fuzz_manifest: FUZZ_LDLIBS = $(JOBS_LDLIBS)
build-fuzz/fuzz_manifest: $(call fuzz_objects,$(call sources,jobs) $(patsubst %.o,%.c,$(call embedded,jobs)))
build-fuzz/fuzz_image: FUZZ_LDLIBS = $(AV_LDLIBS)
build-fuzz/fuzz_image: $(call fuzz_objects,$(patsubst %,lib/plugins/av/%.c,image gif picture fit blur))

fuzz: $(FUZZ)

# ---- installing

install: all $(MAN) $B/audiopipe.pc $(SHELLS:%=$B/audiopipe.%-completion)
	$(INSTALL) -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(LIBDIR) $(DESTDIR)$(INCLUDEDIR) $(DESTDIR)$(PKGCONFIGDIR) $(DESTDIR)$(COMPDIR)
	$(INSTALL) -d $(DESTDIR)$(ZSHDIR) $(DESTDIR)$(FISHDIR)
	$(INSTALL) -d $(DESTDIR)$(PLUGINDIR) $(sort $(foreach m,$(MAN_SRC),$(DESTDIR)$(MANDIR)/man$(subst .,,$(suffix $m))))
	$(INSTALL) $(COMMANDS:%=$B/%) $(SCRIPTS) $(DESTDIR)$(BINDIR)
	sed -i 's,^share=.*,share=$(SHAREDIR),' $(SCRIPTS:scripts/%=$(DESTDIR)$(BINDIR)/%)
	$(INSTALL) -d $(DESTDIR)$(SHAREDIR)/recipes $(DESTDIR)$(SHAREDIR)/hooks
	$(INSTALL) -m 644 scripts/recipes/*.sh $(DESTDIR)$(SHAREDIR)/recipes
	$(INSTALL) -m 644 scripts/hooks/*.sh $(DESTDIR)$(SHAREDIR)/hooks
	$(INSTALL) -m 644 scripts/batch.mk scripts/front.sh $(DESTDIR)$(SHAREDIR)
	sed -i 's,version=.*,version=$(VERSION),' $(DESTDIR)$(SHAREDIR)/front.sh
	$(INSTALL) scripts/recipe-shell scripts/complete scripts/cost $(DESTDIR)$(SHAREDIR)
	cp -r scripts/package/deploy $(DESTDIR)$(SHAREDIR)
	$(INSTALL) -m 644 $(SO) $(DESTDIR)$(LIBDIR)
	ln -sf libaudiopipe.so.$(SOVERSION) $(DESTDIR)$(LIBDIR)/libaudiopipe.so
	$(INSTALL) -m 644 $(PLUGINS:%=$B/audiopipe/%.so) $(DESTDIR)$(PLUGINDIR)
	$(INSTALL) -m 644 lib/audiopipe.h $(DESTDIR)$(INCLUDEDIR)
	$(INSTALL) -m 644 $B/audiopipe.pc $(DESTDIR)$(PKGCONFIGDIR)
	$(INSTALL) -m 644 $B/audiopipe.zsh-completion $(DESTDIR)$(ZSHDIR)/_audiopipe
	$(INSTALL) -m 644 $B/audiopipe.bash-completion $(DESTDIR)$(COMPDIR)/ap-decode
	for c in $(filter-out ap-decode,$(COMMANDS) $(SCRIPTS:scripts/%=%)); do ln -sf ap-decode $(DESTDIR)$(COMPDIR)/$$c; done
	for c in $(COMMANDS) $(SCRIPTS:scripts/%=%); do $(INSTALL) -m 644 $B/audiopipe.fish-completion $(DESTDIR)$(FISHDIR)/$$c.fish; done
	for m in $(MAN_SRC); do $(INSTALL) -m 644 $B/$$m $(DESTDIR)$(MANDIR)/man$${m##*.}; done
# The loader looks for libraries in its cache: without this a new program of one's own would not find this one.
	@if [ -n "$(DESTDIR)" ]; then echo "after moving $(DESTDIR) to its place, run ldconfig"; \
	elif [ "$$(id -u)" -ne 0 ] || ! ldconfig; then \
		echo "run ldconfig as root, or set LD_LIBRARY_PATH=$(LIBDIR), so that programs of your own find libaudiopipe"; \
	elif ! ldconfig -p | grep -qF "$(LIBDIR)/$(notdir $(SO))"; then \
		echo "set LD_LIBRARY_PATH=$(LIBDIR), so that programs of your own find libaudiopipe: ldconfig does not look there"; fi

uninstall:
	rm -f $(COMMANDS:%=$(DESTDIR)$(BINDIR)/%) $(SCRIPTS:scripts/%=$(DESTDIR)$(BINDIR)/%) $(COMMANDS:%=$(DESTDIR)$(COMPDIR)/%) $(DESTDIR)$(LIBDIR)/libaudiopipe.so* \
		$(DESTDIR)$(INCLUDEDIR)/audiopipe.h $(DESTDIR)$(PKGCONFIGDIR)/audiopipe.pc
	rm -f $(SCRIPTS:scripts/%=$(DESTDIR)$(COMPDIR)/%) $(DESTDIR)$(ZSHDIR)/_audiopipe
	rm -f $(COMMANDS:%=$(DESTDIR)$(FISHDIR)/%.fish) $(SCRIPTS:scripts/ap-%=$(DESTDIR)$(FISHDIR)/ap-%.fish)
	rm -rf $(DESTDIR)$(PLUGINDIR) $(DESTDIR)$(SHAREDIR)
	for m in $(MAN_SRC); do rm -f $(DESTDIR)$(MANDIR)/man$${m##*.}/$${m##*/}; done

# ---- packages

# The source as it was committed: the same bytes from the same commit. From an unpacked source: the files that are there.
DIST = build-packages/audiopipe-$(VERSION)
dist:
	@mkdir -p build-packages
	$(Q)if [ -e .git ]; then \
		git -c tar.umask=022 archive --prefix=audiopipe-$(VERSION)/ HEAD; \
	else \
		tar -c --sort=name --owner=0 --group=0 --numeric-owner --mode=u+rw,go=rX --exclude='./build*' \
			--mtime="$$(LC_ALL=C sed -n 's/^ -- .*>  //p' scripts/package/debian/changelog | head -n 1)" \
			--transform='s,^\.,audiopipe-$(VERSION),' .; \
	fi | gzip -9n >$(DIST).tar.gz.part
	$(Q)mv $(DIST).tar.gz.part $(DIST).tar.gz
	@echo $(DIST).tar.gz

# Debian packages, in build-packages/deb. DEB_BUILD_PROFILES=pkg.audiopipe.notorch leaves libtorch out.
deb: dist
	rm -rf build-packages/deb
	mkdir -p build-packages/deb
	tar -xzf $(DIST).tar.gz -C build-packages/deb
	cp $(DIST).tar.gz build-packages/deb/audiopipe_$(VERSION).orig.tar.gz
	cp -r scripts/package/debian build-packages/deb/audiopipe-$(VERSION)/
	cd build-packages/deb/audiopipe-$(VERSION) && dpkg-buildpackage -us -uc -b

# An OCI image of them, in build-packages/image.
image:
	scripts/package/image

clean:
	rm -rf build build-san build-fuzz build-packages

-include $(shell find $B build-fuzz -name '*.d' -type f 2>/dev/null)

.PHONY: all build-tests check check-all check-long fuzz install uninstall bench dist deb image clean
.SECONDARY:
