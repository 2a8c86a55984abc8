"""Asks the official libraries of PyPI, as verdicts.mjs asks those of npm: verdicts.py FOLDER."""

import base64
import datetime
import json
import pathlib
import sys
import time

import gocardless_pro.webhooks
import standardwebhooks.webhooks
import stripe
from gocardless_pro.errors import InvalidSignatureError

NOW = 0.0
SystemDatetime = datetime.datetime


class Datetime(SystemDatetime):
    """The libraries ask the clock themselves."""

    @classmethod
    def now(cls, tz=None):
        return SystemDatetime.fromtimestamp(NOW, tz)


time.time = lambda: NOW
standardwebhooks.webhooks.datetime = Datetime


def ask_stripe(secret, headers, body):
    signature = headers.get("stripe-signature")
    stripe.WebhookSignature.verify_header(body, signature, secret, 300)


def ask_standard(secret, headers, body):
    standardwebhooks.webhooks.Webhook(secret).verify(body, headers, json_parse=False)


def ask_gocardless(secret, headers, body):
    signature = headers.get("webhook-signature")
    try:
        gocardless_pro.webhooks.parse(body, secret, signature)
    except InvalidSignatureError:
        raise
    except (ValueError, KeyError, TypeError):
        if signature is None:
            raise
        # The signature fits, and what it signs can't be read.


LIBRARIES = {
    "stripe": ("stripe-pypi", ask_stripe),
    "standard": ("standardwebhooks-pypi", ask_standard),
    "gocardless": ("gocardless-pypi", ask_gocardless),
}


def joined(pairs):
    headers = {}
    for name, value in pairs:
        key = name.lower()
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    return headers


def verdict(ask, delivery):
    global NOW
    NOW = delivery["now"] / 1000
    refused = "none"
    for secret in delivery["secrets"]:
        try:
            ask(secret, joined(delivery["headers"]), base64.b64decode(delivery["body"]))
            return "accepted"
        except Exception as error:  # whatever it throws is its refusal
            refused = type(error).__name__
    return refused


def main():
    folder = pathlib.Path(sys.argv[1])
    for scheme, (name, ask) in LIBRARIES.items():
        lines = (folder / f"{scheme}.jsonl").read_text().splitlines()
        verdicts = [verdict(ask, json.loads(line)) for line in lines]
        (folder / f"{scheme}.{name}.verdicts").write_text("\n".join(verdicts) + "\n")


main()
