"""Half of what schemathesis makes up gets an address that exists; every answer is noted."""

import json
import os

import schemathesis
from school import School

school = School(os.environ["HUB_URL"], os.environ["HUB_CA"], os.environ["HUB_TOKEN"])
notes = open(os.environ["HUB_NOTES"], "a", buffering=1)
count = 0


@schemathesis.hook
def before_call(context, case, kwargs):
    global count
    count += 1
    if case.path_parameters and count % 2 == 0:
        for name, value in school.named(case.path).items():
            case.path_parameters[name] = value


@schemathesis.hook
def after_call(context, case, response):
    note = [case.method.upper(), case.path, response.status_code]
    notes.write(json.dumps(note) + "\n")
