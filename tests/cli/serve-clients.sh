#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ap-serve: uploads by the tus clients that others use, from npm and PyPI, by tests/web/clients.*.
. "$(dirname "$0")/serve-lib.sh"

web=$tests_folder/web failed=0
if command -v node >/dev/null && [ -d "$web/node_modules/@uppy/tus" ] && [ -d "$web/node_modules/tus-js-client" ]; then
    node "$web/clients.mjs" || failed=1
else
    echo "ok npm # skipped: node, tus-js-client or Uppy is missing (scripts/setup installs them)"
fi
fresh
if "$web/venv/bin/python" -c 'import aiotus, tusclient' 2>/dev/null; then
    "$web/venv/bin/python" "$web/clients.py" || failed=1
else
    echo "ok pypi # skipped: tuspy or aiotus is missing (scripts/setup installs them)"
fi
exit $failed
