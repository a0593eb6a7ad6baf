# Sourced by bin/start and bin/test: sets $python to a Python of at least 3.11 that can make virtual environments.
python=
for candidate in ${ENTREPOT_PYTHON:+"$ENTREPOT_PYTHON"} python3 python3.13 python3.12 python3.11 python3.14 python; do
    if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    echo "Entrepot needs Python 3.11 or newer with venv (on Debian or Ubuntu: apt-get install python3 python3-venv); none was found, or name one in ENTREPOT_PYTHON." >&2
    exit 1
fi
