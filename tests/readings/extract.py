"""Makes `crates/providers/published/*.json` from what the providers publish for programs.

    python3 tests/readings/extract.py FOLDER

FOLDER holds the packages named in PACKAGES, as `pip download --no-deps` and `npm pack` leave them.
Of each, only facts are kept: names of objects and fields, their types, what may be null or missing,
the values of enumerations, and the names of events. No description is read. What no package says
stands in `by_hand.json` beside this file, with where it was read.
"""

import ast
import hashlib
import json
import pathlib
import re
import sys
import tarfile
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
PUBLISHED = HERE.parent.parent / "crates" / "providers" / "published"

PACKAGES = {
    "stripe": ("stripe-16.1.0-*.whl", "stripe/stripe-python", "16.1.0"),
    "paddle": ("paddle_python_sdk-1.16.1-*.whl", "PaddleHQ/paddle-python-sdk", "1.16.1"),
    "polar": ("polar_sdk-1.0.2-*.whl", "polarsource/polar", "1.0.2"),
    "mollie": ("mollie_api_py-1.10.20-*.whl", "mollie/mollie-api-py", "1.10.20"),
    "paypal": ("paypal_server_sdk-2.4.0-*.whl", "paypal/PayPal-Python-Server-SDK", "2.4.0"),
    "gocardless": ("gocardless-nodejs-10.1.2.tgz", "gocardless/gocardless-nodejs", "10.1.2"),
}

# Longer lists (countries, ways to pay) are texts to us, and so are languages.
LONGEST = 45
TEXTS = ("locale",)


# Fields ---------------------------------------------------------------------------------------


def field(is_, null=False, missing=False, values=None):
    out = {"is": is_}
    if values and all(isinstance(value, bool) for value in values):
        out = {"is": "boolean"}
    elif values and len(values) <= LONGEST:
        out = {"values": sorted(set(values))}
    if null:
        out["null"] = True
    if missing:
        out["missing"] = True
    return out


class Python:
    """Types out of Python annotations. A subclass says which classes are followed."""

    plain = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}

    def __init__(self, archive):
        self.files = {}
        with zipfile.ZipFile(archive) as bundle:
            for name in bundle.namelist():
                if name.endswith(".py"):
                    self.files[name] = bundle.read(name).decode()
        self.objects = {}
        self.classes = {}
        self.aliases = {}

    def index(self, keep):
        for name, text in self.files.items():
            if not keep(name):
                continue
            for node in ast.parse(text).body:
                if isinstance(node, ast.ClassDef):
                    self.classes.setdefault(node.name, node)
                if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                    self.aliases.setdefault(node.target.id, node.value)
                if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                    self.aliases.setdefault(node.targets[0].id, node.value)

    def resolve(self, name, scope):
        for around in reversed(scope):
            for node in around.body:
                if isinstance(node, ast.ClassDef) and node.name == name:
                    return node, scope
        return self.classes.get(name), []

    def read(self, node, scope, path):
        """(type, null, missing, values)"""
        if isinstance(node, ast.Constant):
            if node.value is None:
                return ("null", True, False, None)
            if isinstance(node.value, str):
                return self.read(ast.parse(node.value, mode="eval").body, scope, path)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            return self.union([node.left, node.right], scope, path)
        if isinstance(node, ast.Attribute):
            return self.read(ast.Name(node.attr), scope, path)
        if isinstance(node, ast.Subscript):
            base = node.value.attr if isinstance(node.value, ast.Attribute) else node.value.id
            inner = node.slice
            parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
            return self.generic(base, parts, scope, path)
        if isinstance(node, ast.Name):
            return self.named(node.id, scope, path)
        return ("any", False, False, None)

    def union(self, parts, scope, path):
        read = [self.read(part, scope, path) for part in parts]
        null = any(one[1] for one in read)
        missing = any(one[2] for one in read)
        values = [value for one in read if one[3] for value in one[3]] or None
        types = [one[0] for one in read if one[0] not in ("null", "unset")]
        followed = [one for one in types if "@" in one]
        kinds = followed or types or ["any"]
        return (kinds[0], null, missing, values)

    def generic(self, base, parts, scope, path):
        if base == "Optional":
            kind, _, _, values = self.read(parts[0], scope, path)
            return (kind, True, True, values)
        if base == "Nullable":
            kind, _, missing, values = self.read(parts[0], scope, path)
            return (kind, True, missing, values)
        if base == "OptionalNullable":
            kind, _, _, values = self.read(parts[0], scope, path)
            return (kind, True, True, values)
        if base == "NotRequired":
            kind, null, _, values = self.read(parts[0], scope, path)
            return (kind, null, True, values)
        if base == "Annotated":
            return self.read(parts[0], scope, path)
        if base == "Union":
            return self.union(parts, scope, path)
        if base == "Literal":
            return ("string", False, False, [part.value for part in parts])
        if base in ("List", "list"):
            kind, _, _, values = self.read(parts[0], scope, path)
            return (f"[{kind}]", False, False, values)
        if base == "ExpandableField":
            return ("string", False, False, None)
        if base == "ListObject":
            kind, _, _, _ = self.read(parts[0], scope, path)
            if not kind.startswith("@"):
                return ("object", False, False, None)
            name = f"list.{kind[1:]}"
            self.objects[name] = {
                "data": field(f"[{kind}]"),
                "has_more": field("boolean"),
                "object": field("string"),
                "url": field("string"),
            }
            return (f"@{name}", False, False, None)
        return ("object", False, False, None)

    def named(self, name, scope, path):
        if name in self.plain:
            return (self.plain[name], False, False, None)
        if name == "datetime" or name in self.texts:
            return ("string", False, False, None)
        node, around = self.resolve(name, scope)
        if node is None:
            alias = self.aliases.get(name)
            if alias is not None:
                return self.read(alias, scope, path)
            return ("object", False, False, None)
        values = self.enum(node)
        if values is not None:
            return ("string", False, False, values)
        nested = around and node is not self.classes.get(name)
        if nested:
            inside = f"{path}.{snake(name)}"
            if inside.count(".") > self.depth or self.skipped(inside):
                return ("object", False, False, None)
            self.add(inside, node, around + [node])
            return (f"@{inside}", False, False, None)
        own = self.follow.get(name)
        if own is None:
            return ("object", False, False, None)
        if own not in self.objects:
            self.add(own, node, [node])
        return (f"@{own}", False, False, None)

    texts = ()
    depth = 2
    skip = r"$^"

    def skipped(self, path):
        return re.search(self.skip, path)

    def enum(self, node):
        bases = {base.id for base in node.bases if isinstance(base, ast.Name)}
        if not bases & {"Enum", "PaddleStrEnum"}:
            return None
        values = []
        for line in node.body:
            value = getattr(line, "value", None)
            if isinstance(line, (ast.Assign, ast.AnnAssign)) and isinstance(value, ast.Constant):
                values.append(value.value)
        return values

    def wire_name(self, line):
        return line.target.id

    def add(self, name, node, scope):
        self.objects[name] = {}
        fields = {}
        for line in node.body:
            if not isinstance(line, ast.AnnAssign) or not isinstance(line.target, ast.Name):
                continue
            if "ClassVar" in ast.dump(line.annotation) or line.target.id.startswith("_"):
                continue
            kind, null, missing, values = self.read(line.annotation, scope, name)
            wire = self.wire_name(line)
            fields[wire] = field(kind, null, missing or self.defaults(line), values)
            if fields[wire].get("values") is not None and kind.startswith("["):
                fields[wire]["list"] = True
        self.objects[name] = fields

    def defaults(self, line):
        return False


# The packages ---------------------------------------------------------------------------------


class Stripe(Python):
    follow = {
        "Customer": "customer", "Discount": "discount", "Session": "checkout.session",
        "Subscription": "subscription", "SubscriptionItem": "subscription_item",
        "Price": "price", "Plan": "plan", "Invoice": "invoice",
        "InvoiceLineItem": "line_item", "InvoicePayment": "invoice_payment",
        "Charge": "charge", "PaymentIntent": "payment_intent", "Refund": "refund",
        "Dispute": "dispute", "BalanceTransaction": "balance_transaction",
    }  # fmt: skip
    skip = (
        r"payment_method|destination_details|payment_settings|custom_field|presentment|"
        r"shipping|tax_id|invoice_settings|automatic_tax|fraud|radar|transfer|evidence|"
        r"next_action|amount_details|last_payment_error|issuer|rendering|consent|collected|"
        r"branding|permissions|wallet|adaptive|after_expiration|name_collection|phone|"
        r"confirmation|threshold|invoice_creation|saved_payment|processing|level3|outcome|"
        r"from_invoice|balance_transaction\.|currency_options|custom_unit|tiers?$|hooks|"
        r"managed_payments|schedule|breakdown|invoice_customer|optional_item|item_period"
    )

    def facts(self):
        self.index(lambda name: re.match(r"stripe/(_\w+|checkout/_session)\.py", name))
        for name, wire in self.follow.items():
            if wire not in self.objects:
                self.add(wire, self.classes[name], [self.classes[name]])
        text = self.files["stripe/params/_webhook_endpoint_create_params.py"]
        events = set(re.findall(r'"([a-z_0-9]+(?:\.[a-z_0-9]+)+)"', text))
        version = re.search(r'CURRENT = "([^"]+)"', self.files["stripe/_api_version.py"])
        return events, {"api_version": version.group(1)}


class Paddle(Python):
    follow = {
        "Subscription": "subscription", "SubscriptionItem": "subscription.item",
        "SubscriptionScheduledChange": "subscription.scheduled_change",
        "SubscriptionDiscount": "subscription.discount", "Price": "price",
        "SubscriptionPrice": "price", "UnitPriceOverride": "price.override",
        "PriceTrialPeriod": "price.trial_period", "Duration": "duration",
        "TimePeriod": "time_period", "Money": "money", "Transaction": "transaction",
        "TransactionItem": "transaction.item", "TransactionItemPrice": "price",
        "TransactionDetails": "transaction.details", "TransactionTotals": "transaction.totals",
        "TransactionPaymentAttempt": "transaction.payment", "MethodDetails": "method_details",
        "TransactionLineItem": "transaction.line_item", "Totals": "totals",
        "BillingDetails": "billing_details", "Adjustment": "adjustment",
        "AdjustmentItem": "adjustment.item", "AdjustmentTotals": "adjustment.totals",
        "Customer": "customer",
    }  # fmt: skip

    def facts(self):
        self.index(lambda name: name.startswith("paddle_billing/Notifications/Entities/"))
        for name in ("Subscription", "Transaction", "Adjustment", "Customer", "Price"):
            wire = self.follow[name]
            if wire not in self.objects:
                self.add(wire, self.classes[name], [self.classes[name]])
        created = self.classes["SubscriptionCreated"]
        self.add("subscription.created", created, [created])
        text = self.files["paddle_billing/Entities/Events/EventTypeName.py"]
        return set(re.findall(r'= "([a-z_.]+)"', text)), {}

    def defaults(self, line):
        return line.value is not None


class Polar(Python):
    follow = {
        "Customer": "customer", "CustomerIndividual": "customer", "Subscription": "subscription",
        "SubscriptionCustomer": "subscription.customer", "Order": "order",
        "OrderCustomer": "order.customer", "OrderItemSchema": "order.item",
        "OrderSubscription": "order.subscription", "OrderProduct": "order.product",
        "Refund": "refund", "Address": "address", "SubscriptionPrice": "price",
        "Product": "product", "SubscriptionMeter": "subscription.meter",
        "PendingSubscriptionUpdate": "subscription.pending_update",
    }  # fmt: skip

    def facts(self):
        self.index(lambda name: name.startswith("polar/v2026_10/"))
        for name in ("Subscription", "Order", "Refund", "CustomerIndividual"):
            self.add(self.follow[name], self.classes[name], [self.classes[name]])
        text = self.files["polar/v2026_10/webhooks.py"]
        return set(re.findall(r'type: typing.Literal\["([a-z_.]+)"\]', text)), {
            "api_version": "2026-10"
        }

    def defaults(self, line):
        return line.value is not None


class Mollie(Python):
    follow = {
        "PaymentResponse": "payment", "Amount": "amount", "AmountNullable": "amount",
        "PaymentResponseAmountRefunded": "amount", "PaymentResponseAmountCaptured": "amount",
        "PaymentResponseAmountChargedBack": "amount", "SettlementAmountNullable": "amount",
        "ListEntityRefund": "refund", "EntityRefundResponse": "refund",
        "RefundResponse": "refund", "EntityChargeback": "chargeback",
        "SubscriptionResponse": "subscription", "SalesInvoiceResponse": "sales_invoice",
        "SalesInvoicePaymentDetailsResponse": "sales_invoice.payment_details",
        "CustomerResponse": "customer", "EntityCustomer": "customer",
        "EntityWebhookEvent": "event", "PaymentDetails": "payment.details",
        "SalesInvoiceRecipientResponse": "sales_invoice.recipient",
    }  # fmt: skip

    def facts(self):
        self.index(lambda name: name.startswith("mollie/models/"))
        roots = ("PaymentResponse", "RefundResponse", "EntityChargeback", "SubscriptionResponse",
                 "SalesInvoiceResponse", "CustomerResponse", "EntityWebhookEvent")  # fmt: skip
        for name in roots:
            if name in self.classes:
                self.add(self.follow[name], self.classes[name], [self.classes[name]])
            else:
                print(f"mollie: no {name}", file=sys.stderr)
        text = self.files["mollie/models/webhook_event_types.py"]
        return set(re.findall(r'= \(?\s*"([a-z.-]+)"', text)), {}

    def wire_name(self, line):
        for node in ast.walk(line.annotation):
            if isinstance(node, ast.keyword) and node.arg == "alias":
                return node.value.value
        return line.target.id


class Paypal(Python):
    """Types stand in the text of each class, and a list says what may be missing."""

    follow = {
        "Subscription": "subscription", "SubscriptionBillingInformation": "billing_info",
        "CycleExecution": "cycle_execution", "LastPaymentDetails": "last_payment",
        "FailedPaymentDetails": "failed_payment", "Subscriber": "subscriber", "Money": "money",
        "Name": "name", "ShippingDetails": "shipping", "Address": "address",
        "CapturedPayment": "capture", "Refund": "refund", "LinkDescription": "link",
        "PaymentSupplementaryData": "supplementary_data", "RelatedIds": "related_ids",
    }  # fmt: skip

    def facts(self):
        for name in ("Subscription", "CapturedPayment", "Refund"):
            self.model(name)
        return set(), {}

    def model(self, name):
        own = self.follow[name]
        self.objects[own] = {}
        text = self.files[f"paypalserversdk/models/{snake(name)}.py"]
        node = next(n for n in ast.parse(text).body if isinstance(n, ast.ClassDef))
        lists = {"_names": {}, "_optionals": [], "_nullables": []}
        for line in node.body:
            if isinstance(line, ast.Assign) and line.targets[0].id in lists:
                lists[line.targets[0].id] = ast.literal_eval(line.value)
        text = ast.get_docstring(node, False)
        told = dict(re.findall(r"^        (\w+) \(([\w\[\], ]+)\):", text, re.M))
        for attribute, wire in lists["_names"].items():
            kind, values = self.told(told[attribute])
            missing = attribute in lists["_optionals"]
            self.objects[own][wire] = field(kind, attribute in lists["_nullables"], missing, values)

    def told(self, text):
        if text.startswith("List["):
            kind, values = self.told(text[5:-1])
            return f"[{kind}]", values
        if text in self.plain:
            return self.plain[text], None
        source = self.files.get(f"paypalserversdk/models/{snake(text)}.py")
        if source and "' enum." in source:
            return "string", re.findall(r'^    \w+ = "(\w+)"$', source, re.M)
        if text in self.follow:
            if self.follow[text] not in self.objects:
                self.model(text)
            return f"@{self.follow[text]}", None
        return "object", None


class Gocardless:
    """Types out of TypeScript declarations, which are generated and all look alike."""

    follow = {
        "Payment": "payment", "PaymentLinks": "payment.links", "Refund": "refund",
        "RefundLinks": "refund.links", "Subscription": "subscription",
        "SubscriptionLinks": "subscription.links", "Customer": "customer", "Mandate": "mandate",
        "SubscriptionUpcomingPayment": "subscription.upcoming_payment",
        "MandateLinks": "mandate.links", "Event": "event", "EventDetails": "event.details",
        "EventLinks": "event.links", "BillingRequest": "billing_request",
        "BillingRequestLinks": "billing_request.links", "EventSource": "event.source",
    }  # fmt: skip

    def __init__(self, archive):
        with tarfile.open(archive) as bundle:
            text = bundle.extractfile("package/types/types/Types.d.ts").read().decode()
        self.enums = {
            name: re.findall(r'= "([^"]*)"', body)
            for name, body in re.findall(r"export declare enum (\w+) \{(.*?)\n\}", text, re.S)
        }
        self.types = dict(re.findall(r"export type (\w+) = \{\n(.*?)\n\};", text, re.S))
        self.objects = {}

    def facts(self):
        for name, own in self.follow.items():
            fields = {}
            for wire, mark, told in re.findall(
                r"^    (\w+)(\??): (.*?);$", self.types[name], re.M
            ):
                kind, values = self.read(told.replace(" | null", ""))
                fields[wire] = field(kind, "| null" in told, mark == "?", values)
            self.objects[own] = fields
        return set(), {}

    def read(self, told):
        if told.endswith("[]"):
            kind, values = self.read(told[:-2])
            return f"[{kind}]", values
        enum = re.fullmatch(r"`\$\{(\w+)\}`", told)
        if enum:
            return "string", self.enums[enum.group(1)]
        if told in self.follow:
            return f"@{self.follow[told]}", None
        plain = {"string": "string", "number": "integer", "boolean": "boolean"}
        return plain.get(told, "object"), None


def snake(name):
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


# Writing --------------------------------------------------------------------------------------


def as_text(name, told):
    if name not in TEXTS or "values" not in told:
        return told
    return {"is": "string", **{key: told[key] for key in ("null", "missing") if key in told}}


def write(provider, source, events, objects):
    def line(value):
        return json.dumps(value, separators=(", ", ": "))

    lines = ["{", f'  "source": {json.dumps(source, indent=2).replace(chr(10), chr(10) + "  ")},']
    lines.append('  "events": [')
    lines.append(",\n".join(f"    {line(event)}" for event in sorted(events)))
    lines.append("  ],")
    lines.append('  "objects": {')
    blocks = []
    for name in sorted(objects):
        told = {one: as_text(one, objects[name][one]) for one in objects[name]}
        fields = [f"      {line(one)}: {line(told[one])}" for one in sorted(told)]
        blocks.append(f"    {line(name)}: {{\n" + ",\n".join(fields) + "\n    }")
    lines.append(",\n".join(blocks))
    lines += ["  }", "}", ""]
    path = PUBLISHED / f"{provider}.json"
    path.write_text("\n".join(lines))
    json.loads(path.read_text())
    print(f"{provider}: {len(events)} events, {len(objects)} objects, {path.stat().st_size} bytes")


def main():
    folder = pathlib.Path(sys.argv[1])
    by_hand = json.loads((HERE / "by_hand.json").read_text())
    makers = {
        "stripe": Stripe, "paddle": Paddle, "polar": Polar, "mollie": Mollie, "paypal": Paypal,
        "gocardless": Gocardless,
    }  # fmt: skip
    PUBLISHED.mkdir(exist_ok=True)
    for provider, (pattern, repository, version) in PACKAGES.items():
        archive = next(folder.rglob(pattern))
        maker = makers[provider](archive)
        events, more = maker.facts()
        source = {
            "package": re.sub(r"-\d.*", "", archive.name).replace("_", "-"),
            "repository": repository,
            "version": version,
            "sha256": hashlib.sha256(archive.read_bytes()).hexdigest(),
            **more,
        }
        own = by_hand.get(provider, {})
        objects = maker.objects
        for name, fields in own.get("objects", {}).items():
            objects.setdefault(name, {}).update(fields)
        if own:
            source["by_hand"] = own["source"]
        events = (events | set(own.get("events", []))) - {"*"}
        write(provider, source, events, objects)


if __name__ == "__main__":
    main()
