PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# One thread a process: two threads in each of several processes on few cores are slower.
export OMP_NUM_THREADS ?= 1
# Where runtimes have environments of their own.
RUNTIMES := $(if $(FOXNAS_RUNTIMES),$(FOXNAS_RUNTIMES)/)
# Tests start some hundred processes of the program: what one compiled the others read.
export PYTHONDONTWRITEBYTECODE :=
# Processes that share the tests between them; each imports all tests that it is told of.
WORKERS ?= $(shell getconf _NPROCESSORS_ONLN)
SUITE := -m pytest --numprocesses $(WORKERS) --dist worksteal

.DEFAULT_GOAL := help
.PHONY: help run develop data test test-core test-browser lint browser sshd runtime-openvino runtime-executorch \
	runtime-litert screenshots reference benchmark benchmark-predictors \
	benchmark-measuring benchmark-load \
	remake-demo models-fbnet remake-fbnet remake-nb201 remake-cells remake-volumes remake-hippocampus fonts letters \
	emoji-packages emoji remake-letters remake-emoji remake-fbnetv2 clean

help: ## list the targets
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 24

run: $(VENV)/prepared ## start the app on http://localhost:8501
	$(BIN)/python serve.py --server.fileWatcherType none

develop: $(VENV)/installed-dev ## the same, drawing pages anew as their source changes
	$(BIN)/streamlit run app.py

data: ## fetch Fashion-MNIST (Debian's package), which only training needs
	@test -e /usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz \
	|| { $(AS_ROOT) apt-get update -qq && $(AS_ROOT) apt-get install -y --no-install-recommends dataset-fashion-mnist; }

# Prepared as for a user, lest the journeys, which come first, wait for the annealer to be compiled.
test: lint browser sshd $(VENV)/prepared ## install what the tests need, then run the whole suite
	$(BIN)/python $(SUITE)

test-core: $(VENV)/installed-dev sshd ## the suite without the browser
	$(BIN)/python $(SUITE) --ignore tests/browser

test-browser: browser $(VENV)/prepared ## the journeys in a real Chromium
	$(BIN)/python $(SUITE) tests/browser

lint: $(VENV)/installed-dev ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

browser: $(VENV)/installed-dev ## install Debian's Chromium for the browser tests
	@test -x /usr/bin/chromium \
	|| { $(AS_ROOT) apt-get update -qq && $(AS_ROOT) apt-get install -y --no-install-recommends chromium fonts-dejavu-core; }

sshd: ## install Debian's SSH server and client for the tests of remote devices
	@test -x /usr/sbin/sshd -a -x /usr/bin/ssh \
	|| { $(AS_ROOT) apt-get update -qq && $(AS_ROOT) apt-get install -y --no-install-recommends openssh-server openssh-client; }

runtime-openvino: $(RUNTIMES).venv-openvino/installed ## install OpenVINO to measure in, in an environment of its own

runtime-executorch: $(RUNTIMES).venv-executorch/installed ## the same with ExecuTorch

runtime-litert: $(RUNTIMES).venv-litert/installed ## the same with LiteRT

screenshots: browser ## renew the tutorial's pictures
	FOXNAS_SCREENSHOTS=1 $(BIN)/python -m pytest tests/browser/test_tutorial.py

reference: $(VENV)/installed ## renew what the references in docs/ take from the code
	$(BIN)/python -m docs.generate

benchmark: browser $(VENV)/prepared ## print the benchmarks' tables
	$(BIN)/python -m benchmarks.search
	$(BIN)/python -m benchmarks.importing
	$(BIN)/python -m benchmarks.app
	$(BIN)/python -m benchmarks.live
	$(BIN)/python -m benchmarks.cli

benchmark-predictors: $(VENV)/installed ## print the predictors beside other regressors (minutes)
	$(BIN)/python -m benchmarks.predictors

benchmark-measuring: $(VENV)/installed ## print how fast subnets are scored and measured (minutes)
	$(BIN)/python -m benchmarks.evaluation
	$(BIN)/python -m benchmarks.campaign

benchmark-load: $(VENV)/installed-dev ## print how quick the app is for 20 visitors at once (11 minutes)
	$(BIN)/python -m benchmarks.load --servers $(WORKERS)

# All of the demo anew, in a study of its own: some seven hours on one core, and each step goes on
# after a kill. Smaller numbers make a smaller one.
STUDY ?= build/demo
EPOCHS ?= 42
ROWS ?= 800
OPTIMA ?= 24
OPENVINO_ROWS ?= 132
TRUST ?= --count 16 --epochs 10 --fine-tune-epochs 3
HANDMADE ?= --searched 4 --epochs 5
MAKE_STUDY := $(BIN)/python -m foxnas_core
remake-demo: $(VENV)/installed $(RUNTIMES).venv-openvino/installed data ## train and measure the shipped study anew, in STUDY
	mkdir -p $(STUDY)
	cp data/demo/study.json data/demo/space.json $(STUDY)
	test -e $(STUDY)/supernet.safetensors \
	|| $(MAKE_STUDY) train --study $(STUDY) --epochs $(EPOCHS) --seed 1 \
		$$(test ! -e $(STUDY)/training-state.safetensors || echo --resume)
	$(MAKE_STUDY) measure --study $(STUDY) --count $(ROWS) --seed 1
	$(MAKE_STUDY) calibrate --study $(STUDY) --count $(OPTIMA) --seed 1
	$(MAKE_STUDY) calibrate --study $(STUDY) --count $(OPTIMA) --seed 1 --latency-target latency_ms:int8
	$(MAKE_STUDY) measure --study $(STUDY) --device openvino --count $(OPENVINO_ROWS)
	$(MAKE_STUDY) trust --study $(STUDY) $(TRUST) --seed 1
	$(MAKE_STUDY) handmade --study $(STUDY) $(HANDMADE) --seed 1

# The shipped benchmarks anew, each in a study of its own; both go on after a kill. A further runtime
# is added to what is there by a second run with another DEVICES. What LiteRT and ExecuTorch read is
# converted for an hour of a core: models-fbnet does that on a machine that does other work, and keeps
# it in MODELS, so that a quiet one only times.
FBNET ?= build/fbnet
NB201 ?= build/nb201
MODELS ?= build/models
DEVICES ?= onnxruntime openvino
BENCH_OF_FBNET ?= --rounds 5 --seconds .05
BENCH_OF_NB201 ?= --count 1000 --rounds 3 --seconds .03 --workers 2
BENCH := $(MAKE_STUDY) bench $(addprefix --device ,$(DEVICES))
ENVIRONMENTS := $(patsubst %,$(RUNTIMES).venv-%/installed,$(filter-out onnxruntime,$(DEVICES)))
$(FBNET)/space.json:
	mkdir -p $(@D) && cp data/fbnet/study.json data/fbnet/space.json $(@D)

models-fbnet: $(VENV)/installed $(ENVIRONMENTS) $(FBNET)/space.json ## convert what remake-fbnet times, beside other work
	$(BENCH) --study $(FBNET) --models $(MODELS) --models-only --workers $(WORKERS)

remake-fbnet: $(VENV)/installed $(ENVIRONMENTS) $(FBNET)/space.json ## measure the shipped blocks of FBNet anew, in FBNET
	$(BENCH) --study $(FBNET) --models $(MODELS) $(BENCH_OF_FBNET)

remake-nb201: $(VENV)/installed $(ENVIRONMENTS) ## measure the shipped cells anew, in NB201
	mkdir -p $(NB201) && cp data/nb201/study.json data/nb201/space.json $(NB201)
	$(BENCH) --study $(NB201) $(BENCH_OF_NB201)

# The trained cells anew, some two hours on one core; goes on after a kill. Every seed has a mixture of
# its own, which its two selections are made by; that of the first is shipped. With TRUTH, a study of
# all cells, networks are ranked by that too.
CELLS ?= build/cells
SEEDS ?= 1 2 3 4
SINGLE_PATHS ?= --images 10000 --epochs 40
MIXTURES ?= --images 6000 --epochs 20
SCORED_CELLS ?= --count 1000 --images 5000
TRUST_IN_CELLS ?= --count 16 --epochs 5 --fine-tune-epochs 1
JUDGED_CELLS ?= --epochs 5
MIXTURE = $(CELLS)-mixtures/seed$$seed
remake-cells: $(VENV)/installed $(RUNTIMES).venv-openvino/installed data ## train, measure and select cells anew, in CELLS
	mkdir -p $(CELLS) && cp data/cells/study.json data/cells/space.json $(CELLS)
	test -e $(CELLS)/supernet.safetensors \
	|| $(MAKE_STUDY) train --study $(CELLS) --update single-path $(SINGLE_PATHS) --seed 1 \
		$$(test ! -e $(CELLS)/training-state.safetensors || echo --resume)
	$(MAKE_STUDY) measure --study $(CELLS) $(SCORED_CELLS) --untimed
	$(BENCH) --study $(CELLS) $(BENCH_OF_NB201)
	$(MAKE_STUDY) trust --study $(CELLS) $(TRUST_IN_CELLS) --seed 1
	for seed in $(SEEDS); do \
		mkdir -p $(MIXTURE) && cp data/cells/space.json $(MIXTURE); \
		test -e $(MIXTURE)/supernet.safetensors \
		|| $(MAKE_STUDY) train --study $(MIXTURE) --update darts $(MIXTURES) --seed $$seed \
			$$(test ! -e $(MIXTURE)/training-state.safetensors || echo --resume) || exit 1; \
		for method in magnitude perturbation; do \
			test -e $(MIXTURE)/$$method.done \
			|| $(MAKE_STUDY) select --study $(MIXTURE) --method $$method --seed $$seed || exit 1; \
			touch $(MIXTURE)/$$method.done; \
		done; \
	done
	cp $(CELLS)-mixtures/seed1/supernet.safetensors $(CELLS)/mixture.safetensors
	$(MAKE_STUDY) judge --study $(CELLS) $(JUDGED_CELLS) $(if $(TRUTH),--truth $(TRUTH)) \
		$(foreach seed,$(SEEDS),--selected $(CELLS)-mixtures/seed$(seed))

# Volumes anew, some minutes on one core; goes on after a kill. PHANTOMS=within makes the control.
VOLUMES ?= build/volumes
PHANTOMS ?= across
PATHS_OF_VOLUMES ?= --epochs 30 --batch 8 --learning-rate 5e-3
MIXED_VOLUMES ?= --epochs 20 --batch 8
COUNT_OF_VOLUMES ?= 364
TIMED_VOLUMES ?= --rounds 3 --seconds .03 --memory
TRAIN_VOLUMES = $(MAKE_STUDY) train --task-setting phantoms=$(PHANTOMS) --seed 1 --study
# What is chosen by habit, one convolution in all six cells, whether or not it was drawn.
define measure_uniform
	test -e $(1)/uniform || for cell in 2D P3D 3D; do \
		$(MAKE_STUDY) measure --study $(1) --untimed --seed 1 \
			--architecture "$$cell $$cell $$cell $$cell $$cell $$cell" || exit 1; \
	done
	touch $(1)/uniform
endef
remake-volumes: $(VENV)/installed ## train and measure the shipped networks for volumes anew, in VOLUMES
	mkdir -p $(VOLUMES) && cp data/volumes/study.json data/volumes/space.json $(VOLUMES)
	test -e $(VOLUMES)/supernet.safetensors \
	|| $(TRAIN_VOLUMES) $(VOLUMES) --update single-path $(PATHS_OF_VOLUMES) \
		$$(test ! -e $(VOLUMES)/training-state.safetensors || echo --resume)
	$(MAKE_STUDY) measure --study $(VOLUMES) --count $(COUNT_OF_VOLUMES) --seed 1 --untimed
	$(call measure_uniform,$(VOLUMES))
	$(MAKE_STUDY) bench --study $(VOLUMES) --count 366 $(TIMED_VOLUMES)
	test -e $(VOLUMES)/mixture.safetensors \
	|| $(TRAIN_VOLUMES) $(VOLUMES) --update darts $(MIXED_VOLUMES) \
		$$(test ! -e $(VOLUMES)/training-state.safetensors || echo --resume)

# Scans anew, and what each depth is worth when networks are trained alone: SCANS is a folder in the
# Decathlon's layout. In both studies each seed's mixture selects, and what it selects on one data set
# is trained on the other too. Goes on after a kill.
HIPPOCAMPUS ?= build/hippocampus
SCANS ?= Task04_Hippocampus
PATHS_OF_SCANS ?= --epochs 20 --batch 4 --learning-rate 5e-3
MIXED_SCANS ?= --epochs 12 --batch 4
JUDGED_SCANS ?= --epochs 12
JUDGED_VOLUMES ?= --epochs 10
SEEDS_OF_VOLUMES ?= 1 2 3
TRAIN_SCANS = $(MAKE_STUDY) train --data $(SCANS) --task-setting spacing=2
UNIFORM := --beside "2D everywhere" "P3D everywhere" "3D everywhere"
SELECTED_OF = $(foreach seed,$(SEEDS_OF_VOLUMES),--selected $(1)-mixtures/seed$(seed))
# Train a mixture for each seed and select by it: the study, what trains, how.
define select_by_mixtures
	for seed in $(SEEDS_OF_VOLUMES); do \
		own=$(1)-mixtures/seed$$seed; mkdir -p $$own && cp $(1)/space.json $$own; \
		test -e $$own/supernet.safetensors \
		|| $(2) --study $$own --update darts $(3) --seed $$seed \
			$$(test ! -e $$own/training-state.safetensors || echo --resume) || exit 1; \
		test -e $$own/selected \
		|| $(MAKE_STUDY) select --study $$own --method magnitude --seed $$seed || exit 1; \
		touch $$own/selected; \
	done
endef
remake-hippocampus: $(VENV)/installed ## train, measure and judge networks for SCANS anew, in HIPPOCAMPUS
	mkdir -p $(HIPPOCAMPUS) && cp data/hippocampus/study.json data/hippocampus/space.json $(HIPPOCAMPUS)
	test -e $(HIPPOCAMPUS)/supernet.safetensors \
	|| $(TRAIN_SCANS) --study $(HIPPOCAMPUS) --update single-path $(PATHS_OF_SCANS) --seed 1 \
		$$(test ! -e $(HIPPOCAMPUS)/training-state.safetensors || echo --resume)
	$(MAKE_STUDY) measure --study $(HIPPOCAMPUS) --count $(COUNT_OF_VOLUMES) --seed 1 --untimed
	$(call measure_uniform,$(HIPPOCAMPUS))
	$(MAKE_STUDY) bench --study $(HIPPOCAMPUS) --count 366 $(TIMED_VOLUMES)
	$(call select_by_mixtures,$(HIPPOCAMPUS),$(TRAIN_SCANS),$(MIXED_SCANS))
	cp $(HIPPOCAMPUS)-mixtures/seed1/supernet.safetensors $(HIPPOCAMPUS)/mixture.safetensors
	$(call select_by_mixtures,$(VOLUMES),$(MAKE_STUDY) train --task-setting phantoms=across,$(MIXED_VOLUMES))
	$(MAKE_STUDY) judge --study $(HIPPOCAMPUS) --data $(SCANS) $(JUDGED_SCANS) $(UNIFORM) \
		$(call SELECTED_OF,$(HIPPOCAMPUS)) $(call SELECTED_OF,$(VOLUMES))
	$(MAKE_STUDY) judge --study $(VOLUMES) $(JUDGED_VOLUMES) $(UNIFORM) \
		$(call SELECTED_OF,$(VOLUMES)) $(call SELECTED_OF,$(HIPPOCAMPUS))

# Images in domains anew. Fonts and drawings are unpacked beside the study, not installed; what is
# drawn of other versions of them differs.
FONTS ?= build/fonts
EMOJI_PACKAGES ?= build/emoji-packages
LETTERS ?= build/letters
EMOJI ?= build/emoji
fonts: $(VENV)/installed ## unpack Debian's fonts that the letters are drawn in, in FONTS
	mkdir -p $(FONTS)
	for name in $$($(BIN)/python -m makers.letters --packages); do \
		test -d $(FONTS)/$$name && continue; \
		(cd $(FONTS) && apt-get download $$name && dpkg-deb -x $${name}_*.deb $$name && rm $${name}_*.deb) || exit 1; \
	done

letters: fonts ## draw the images of data/letters anew, in LETTERS
	$(BIN)/python -m makers.letters $(FONTS) $(LETTERS)

emoji-packages: ## unpack the vendors' drawings, in EMOJI_PACKAGES
	mkdir -p $(EMOJI_PACKAGES)
	npm install --prefix $(EMOJI_PACKAGES) --no-save @iconify-json/noto@1.2.9 @iconify-json/noto-v1@1.2.5 \
		@iconify-json/twemoji@1.2.5 @iconify-json/fluent-emoji-flat@1.2.6

emoji: emoji-packages .venv-emoji/installed ## draw the images of data/emoji anew, in EMOJI
	.venv-emoji/bin/python -m makers.emoji $(EMOJI_PACKAGES)/node_modules/@iconify-json $(EMOJI)

# Each some minutes on one core, and ten more a seed that selects; goes on after a kill.
LEARN_DOMAINS ?= --epochs 45 --batch 64 --largest-share 0.15 --smallest-share 0.05
LETTER_ROWS ?= 450
EMOJI_ROWS ?= 320
# Train and measure a study of domains: its name, its folder, its rows.
define remake_domains
	mkdir -p $(2)
	cp $(addprefix data/$(1)/,study.json space.json domains.json images.npz) $(2)
	test -e $(2)/supernet.safetensors \
	|| $(MAKE_STUDY) train --study $(2) --task domains --data $(2)/images.npz $(LEARN_DOMAINS) --seed 1 \
		$$(test ! -e $(2)/training-state.safetensors || echo --resume)
	$(MAKE_STUDY) measure --study $(2) --count $(3) --seed 1 --untimed
endef
# Select by the game in each seed; one in which it collapses has no selection, one that is killed goes on.
define select_outside
	for seed in $(2); do \
		test -e $(1)/$$seed.done || $(MAKE_STUDY) select --study $(1) --method ood --seed $$seed $(3) \
		|| test $$? -lt 128 || exit 1; \
		touch $(1)/$$seed.done; \
	done
endef
remake-letters: $(VENV)/installed ## train, measure and judge the shipped letters anew, in LETTERS
	$(call remake_domains,letters,$(LETTERS),$(LETTER_ROWS))
	$(call select_outside,$(LETTERS),1 2 3 4 5,--candidates 64)
	$(MAKE_STUDY) judge --study $(LETTERS) --epochs 30

remake-emoji: $(VENV)/installed ## train and measure the shipped emoji anew, in EMOJI
	$(call remake_domains,emoji,$(EMOJI),$(EMOJI_ROWS))
	$(call select_outside,$(EMOJI),1,--cycle .5 --transport .05)
	$(call select_outside,$(EMOJI),2)

# The trained blocks of splits anew, within half an hour of one core; goes on after a kill.
FBNETV2 ?= build/fbnetv2
SHARED_WIDTHS ?= --images 12000 --epochs 5 --batch 64 --largest-share 0.1
SCORED_SPLITS ?= --count 400 --images 2000
remake-fbnetv2: $(VENV)/installed data ## train and score the shipped study of FBNetV2's space anew, in FBNETV2
	mkdir -p $(FBNETV2) && cp data/fbnetv2/study.json data/fbnetv2/space.json $(FBNETV2)
	test -e $(FBNETV2)/supernet.safetensors \
	|| $(MAKE_STUDY) train --study $(FBNETV2) $(SHARED_WIDTHS) --seed 1 \
		$$(test ! -e $(FBNETV2)/training-state.safetensors || echo --resume)
	$(MAKE_STUDY) measure --study $(FBNETV2) $(SCORED_SPLITS) --seed 1 --untimed

clean: ## remove the virtual environments and caches
	rm -rf $(VENV) .venv-* .pytest_cache .hypothesis .ruff_cache .mypy_cache

AS_ROOT := $(shell test "$$(id -u)" = 0 || echo sudo)

$(VENV)/installed: requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

# The bytecode, the shipped study's fits and the annealer's compiled loop, which the first visitor
# waits for else.
$(VENV)/prepared: $(VENV)/installed $(wildcard foxnas_core/search/*.py foxnas_core/regression/*.py)
	-$(BIN)/python -m compileall -q foxnas_core pages
	-$(BIN)/python -m foxnas_core.steps.prepare data/demo
	touch $@

$(VENV)/installed-dev: requirements-dev.txt requirements-android.txt requirements-signin.txt requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@ $(VENV)/installed

$(RUNTIMES).venv-%/installed: requirements-%.txt
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check -r requirements-$*.txt
	touch $@
