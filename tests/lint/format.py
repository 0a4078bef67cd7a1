#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Names the source files that do not look as .clang-format says.

    format.py clang-format [root]

Exits with 1 if there is one.
"""

import subprocess
import sys

import lint


def main():
    program = sys.argv[1]
    root = sys.argv[2] if len(sys.argv) > 2 else '.'
    paths = [x.path for x in lint.read_sources(root) if x.is_code]
    run = subprocess.run([program, '--dry-run', '-Werror', '-style=file']
                         + paths, cwd=root, stderr=subprocess.PIPE, text=True,
                         check=False)
    print(run.stderr or f'{len(paths)} files look as they should')
    return 1 if run.returncode or not paths else 0


if __name__ == '__main__':
    sys.exit(main())
