# Gives many command lines to the local gcloud in one process; it is asked by cloud-gcloud.ts and run by gcloud's own Python.
# Input: the root of the SDK as argument, a JSON list of lists of words on standard input. Output: one JSON object a command.
import io
import json
import os
import sys
import tempfile

root = sys.argv[1]
sys.path[:0] = [os.path.join(root, 'lib'), os.path.join(root, 'lib', 'third_party')]

from googlecloudsdk import gcloud_main  # noqa: E402
from googlecloudsdk.core import log  # noqa: E402

answers = []
for words in json.load(sys.stdin):
    said = io.StringIO()
    log.Reset(io.StringIO(), said)
    kept = sys.stderr
    sys.stderr = said
    code = 0
    try:
        gcloud_main.CreateCLI([]).Execute(words)
    except SystemExit as end:
        code = end.code
    except BaseException as error:  # whatever it is, the test shows it
        code, said = 99, io.StringIO(repr(error))
    finally:
        sys.stderr = kept
    answers.append({'code': code, 'said': said.getvalue()})
json.dump(answers, sys.stdout)
