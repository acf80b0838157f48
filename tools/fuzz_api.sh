#!/bin/sh
# Asks the server whatever its OpenAPI document allows, and what it does not: tools/fuzz_api.sh PROGRAM FOLDER [EXAMPLES]
#
# The document is validated, then schemathesis makes requests from it. Both come from PyPI into FOLDER. Fails where an answer is 5xx, is not what the document says,
# or where what breaks the document is accepted. What the document allows may be refused all the same: that a model is known is not in it.
set -eu

program=$1
folder=$2
examples=${3:-300}
[ -x "$folder/bin/schemathesis" ] || {
    python3 -m venv "$folder"
    "$folder/bin/pip" install -q schemathesis==4.32.5 openapi-spec-validator==0.9.0
}

log=$(mktemp)
"$program" serve --listen 127.0.0.1:0 --max-time 3s 2>"$log" &
server=$!
trap 'kill $server 2>/dev/null; wait $server; rm -f "$log"' EXIT
while [ ! -s "$log" ]; do sleep 0.1; done
url=$(head -n 1 "$log" | sed 's/.*"detail": "//; s/".*//')

"$folder/bin/python" - "$url/openapi.json" <<'PYTHON'
import json
import sys
import urllib.request

import openapi_spec_validator

with urllib.request.urlopen(sys.argv[1]) as answer:
    openapi_spec_validator.validate(json.load(answer))
print("the OpenAPI document is valid")
PYTHON
"$folder/bin/schemathesis" run "$url/openapi.json" --exclude-checks positive_data_acceptance --max-examples "$examples" \
    --generation-database none --no-color
! grep -q '"status": 5' "$log" || { echo "answers of 5xx:"; grep '"status": 5' "$log"; exit 1; }
