"""The words by which apps of this kind name their tables, columns and values."""

import re
from collections.abc import Iterable

CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
# `microcredits` is two words.
PART = re.compile(r"(?<![a-z0-9])(micro|milli)(?=credit|token|coin|point|usd|dollar|cent)")
UNITS = {"micro": 1_000_000, "milli": 1_000}
NOT_PLURAL = {"status", "process", "success", "access", "canvas", "bonus", "usage", "has", "is"}


def _but(none_of: str, pattern: str) -> str:
    """A pattern of names that begin with none of some words."""
    return f"~(?!{'|'.join(none_of.split())}){pattern}"


CREDIT = {
    *("credit", "coin", "token", "point", "wallet", "balance", "quota", "gem", "spark", "unit"),
    *("energy", "diamond", "star", "crystal"),
}
LEDGER = {
    *("transaction", "ledger", "history", "entry", "movement", "txn", "tx", "log", "activity"),
    *("usage", "consumption", "event", "record", "audit", "spend", "operation"),
    "receipt",
}
NO_LEDGER = {
    *("package", "pack", "plan", "price", "pricing", "purchase", "order", "payment", "invoice"),
    *("reservation", "setting", "config", "rate", "request", "code", "coupon", "product"),
    *("session", "webhook", "subscription", "email", "login", "api", "cost", "rule", "summary"),
    *("reset", "expiry", "bucket", "lot", "stat", "daily", "monthly", "pool", "recharge"),
    *("topup", "deposit", "grant", "allocation", "refill", "checkout"),
}
TASK = {
    *("generation", "job", "task", "prediction", "render", "creation", "enhancement"),
    *("inference", "run", "rendering", "training", "tune"),
}
OUTPUT = {
    *("image", "video", "photo", "headshot", "audio", "song", "music", "avatar", "design"),
    *("request", "output", "asset", "media", "edit", "upscale", "clip", "animation"),
    *("portrait", "artwork", "track", "transcription", "export", "restoration"),
}
NO_TASK = {
    *("log", "queue", "webhook", "event", "email", "notification", "template", "like"),
    *("favorite", "comment", "share", "tag", "setting", "version", "cron", "migration"),
    *("credit", "transaction", "ledger", "payment", "step", "item", "file", "model", "style"),
    *("category", "preset", "cache", "key", "session", "account", "user", "profile"),
    *("subscription", "like", "view", "stat", "daily", "monthly", "type", "feedback"),
    *("rating", "collection", "project", "gallery", "upload", "limit", "metric", "summary"),
    *("analytic", "invoice", "receipt"),
}
ACCOUNT = {"user", "profile", "account", "member", "customer", "organization", "workspace", "team"}
ACCOUNT |= {"tenant", "company", "shop", "store", "client", "agency"}

USER_COLUMNS = [
    *("user_id", "userid", "user", "user_uuid", "owner_id", "owner", "account_id", "profile_id"),
    *("customer_id", "member_id", "clerk_user_id", "clerk_id", "auth_user_id", "auth_id", "uid"),
    *("created_by", "author_id", "creator_id", "tg_user_id", "telegram_id", "wallet_owner_id"),
    *("organization_id", "org_id", "workspace_id", "team_id", "tenant_id", "company_id"),
    *("shop_id", "store_id", "client_id", "agency_id", "requested_by", "submitted_by"),
    "user_email",
    r"~(?!actor|admin|invited|approved|target).*_(user|owner|customer|member|account)_(id|uuid|uid)",
    r"~(user|owner|customer|member|profile)_(uuid|uid|ref|key)",
]
# Where an app knows its users by nothing else.
USER_FALLBACKS = [
    *("email", "wallet_address", "address", "device_id", "fingerprint", "phone", "phone_number"),
    *("visitor_id", "guest_id", "anonymous_id", "chat_id", "session_id", "ip_hash"),
]
ID_COLUMNS = [
    *("id", "uuid", "transaction_id", "ledger_id", "entry_id", "tx_id", "txn_id", "task_id"),
    *("job_id", "generation_id", "prediction_id", "record_id", "event_id", "public_id"),
]
AMOUNT_COLUMNS = [
    *("credits_used", "credit_amount", "credits_amount", "amount_credits", "credits_delta"),
    *("credit_delta", "delta_credits", "credits_change", "credit_change", "credits"),
    *("balance_delta", "delta_coins", "coins_delta", "points_delta", "tokens_delta", "delta"),
    *("amount", "change", "points", "coins", "tokens", "token_amount", "credits_spent"),
    *("credits_consumed", "credits_charged", "credit_cost", "credits_cost", "quantity", "value"),
    *("units", "amount_delta", "signed_amount", "change_amount", "credit_value", "credit"),
    r"~(credit|coin|token|point)s?_(used|spent|amount|delta|change|consumed|charged|value|diff)",
    r"~(credit|coin|token|point)s?_(purchased|bought|granted|added)",
    r"~(delta|change|amount|used|spent)_(credit|coin|token|point)s?",
]
KIND_COLUMNS = [
    *("transaction_type", "type", "kind", "entry_type", "tx_type", "txn_type", "reason"),
    *("operation_type", "operation", "action", "event_type", "category", "source"),
    *("transaction_kind", "direction", "event", "reason_code", "purpose", "trans_type"),
    r"~(transaction|entry|ledger|movement|event|operation|credit|change|tx|txn|action)_(type|kind|reason|action|category)",
]
# The last word of a column that may say what a row is, where its values do.
KIND_ENDINGS = {
    *("type", "kind", "reason", "source", "category", "feature", "action", "event", "operation"),
    *("purpose", "activity"),
}
CREATED_COLUMNS = [
    *("created_at", "created", "createdat", "created_on", "created_time", "inserted_at"),
    *("transaction_date", "transaction_time", "occurred_at", "recorded_at", "posted_at"),
    *("timestamp", "ts", "event_time", "entry_date", "date", "time", "at", "date_created"),
    *("created_ts", "created_at_ms", "queued_at", "submitted_at", "requested_at", "started_at"),
    *("start_time", "created_date", "happened_at", "logged_at"),
    r"~(.*_)?(created|inserted|queued|submitted|requested|enqueued|logged)_(at|on|time|ts|date|ms|at_ms)",
]
# What a time is of that is not when a row was written.
OTHER_TIMES = {
    *("updated", "modified", "changed", "completed", "finished", "ended", "end", "done", "failed"),
    *("deleted", "archived", "cancelled", "canceled", "revoked", "expire", "expired", "expiry"),
    *("expiration", "reset", "refill", "last", "next", "due", "period", "valid", "until", "read"),
    *("scheduled", "released", "settled", "paid", "refunded", "claimed", "seen", "birth", "trial"),
}
STATUS_COLUMNS = [
    *("status", "state", "job_status", "task_status", "generation_status", "processing_status"),
    *("phase", "stage", "outcome", "result_status", "stat"),
    _but(
        "payment subscription email moderation review webhook sync refund billing user charge",
        r"(.*_)?(status|state)",
    ),
]
STATUS_FLAGS = ["succeeded", "success", "is_success", "successful", "is_completed", "completed"]
REFERENCE_COLUMNS = [
    *("generation_id", "task_id", "job_id", "api_request_id", "request_id", "prediction_id"),
    *("reference_id", "ref_id", "related_id", "related_entity_id", "entity_id", "source_id"),
    *("image_id", "video_id", "render_id", "creation_id", "run_id", "resource_id", "reference"),
    *("ref", "external_id", "object_id", "external_ref", "correlation_id"),
]
EMBEDDED_REFERENCES = ["idempotency_key", "reference", "ref", "description", "note", "memo"]
COST_COLUMNS = [
    *("cost_usd", "usd_cost", "vendor_cost_usd", "provider_cost_usd", "api_cost_usd"),
    *("vendor_cost", "provider_cost", "api_cost", "cost_in_usd", "model_cost", "actual_cost"),
    "actual_cost_usd",
    *("cost_cents", "provider_cost_cents", "vendor_cost_cents", "api_cost_cents", "cost_micros"),
    *("cost_usd_cents", "cost_microusd", "cost_micro_usd", "cost_usd_micros", "cost_in_cents"),
    *("cost", "total_cost", "estimated_cost", "estimated_cost_usd", "price_usd"),
    r"~(.*_)?(gpu|api|vendor|provider|model|compute|inference|actual|unit|our|upstream)_cost"
    r"(_usd|_cents|_micros|_in_usd|_in_cents)?",
    r"~.*_?cost_(usd|cents|usd_cents|in_cents|micros|microusd|micro_usd|usd_micros|dollars)",
]
PROVIDER_COLUMNS = [
    *("provider", "model", "model_name", "ai_model", "model_id", "model_used", "model_key"),
    *("model_slug", "engine", "ai_provider", "provider_name", "api_provider", "vendor"),
    *("provider_model", "generator", "backend"),
    r"~(?!base|llm|embedding|payment|auth)(.*_)?(model|provider|engine)(_(name|id|slug|key|used|code))?",
]
TYPE_COLUMNS = [
    *("enhancement_type", "generation_type", "content_type", "task_type", "job_type", "type"),
    *("media_type", "output_type", "kind", "tool", "feature", "operation", "operation_type"),
    *("action", "category", "mode", "service", "asset_type", "modality", "workflow"),
    _but(
        "mime file reference related entity ref error failure model plan payment transaction tx"
        " txn user account source input webhook event resource object trigger entry ledger credit",
        r"[a-z]+_(type|kind|mode|operation|category)",
    ),
    r"~(feature|tool|service|module|effect)_(used|name|key|slug|type|code)",
    "pipeline",
]
# What is written to a file is no type of generation.
FORMATS = {
    *(
        "jpeg",
        "jpg",
        "png",
        "webp",
        "gif",
        "avif",
        "svg",
        "mp4",
        "webm",
        "mov",
        "mp3",
        "wav",
        "ogg",
    ),
    *("pdf", "json", "text", "html", "glb", "zip"),
}
ERROR_COLUMNS = [
    *("error_message", "error", "failure_reason", "error_msg", "fail_reason", "error_reason"),
    *("last_error", "error_details", "error_detail", "failure_message", "error_text"),
    *("error_type", "error_code", "status_message", "error_info", "failed_reason"),
    r"~(.*_)?(error|failure|fail)_(message|msg|reason|text|detail|details|info|code|description)",
    r"~.*_error",
    r"~(error|err|failure|fail)_(?!count|at$|rate|time|num|retries|url|id).*",
]
COMPLETED_COLUMNS = [
    *("completed_at", "finished_at", "ended_at", "done_at", "completed", "finished", "end_time"),
    *("finish_time", "completion_time", "completed_on", "processed_at", "generated_at"),
    *("succeeded_at", "ready_at", "ended", "completed_at_ms", "finished_ts", "delivered_at"),
    r"~(.*_)?(completed|finished|ended|done|succeeded|ready|generated|processed)_(at|on|time|ts|date|ms|at_ms)",
]
FAILED_COLUMNS = ["failed_at", "errored_at", "error_at", "failure_at"]
UPDATED_COLUMNS = [
    *("updated_at", "modified_at", "last_updated", "updated", "last_updated_at", "updated_on"),
    *("last_modified", "changed_at", "updatedat"),
    r"~(.*_)?(failed|errored)_(at|on|time|ts|date|ms|at_ms)",
    r"~(.*_)?(updated|modified)_(at|on|time|ts|ms|at_ms)",
]
DURATION_COLUMNS = [
    *("processing_time_ms", "generation_time_ms", "duration_ms", "latency_ms", "elapsed_ms"),
    *("execution_time_ms", "inference_time_ms", "processing_ms", "time_taken_ms", "run_time_ms"),
    *("processing_time", "generation_time", "execution_time", "inference_time", "predict_time"),
    *("processing_time_seconds", "generation_time_seconds", "processing_seconds"),
    *("time_taken", "elapsed_seconds", "execution_seconds", "duration_seconds", "duration"),
    *("generation_seconds", "processing_duration", "processing_time_sec", "latency"),
    *("processing_duration_ms", "duration_sec", "elapsed", "runtime_seconds", "compute_time"),
    r"~.*(processing|generation|inference|execution|compute|render|run|gpu)"
    r"_?(time|duration|seconds|secs|ms)(_(ms|seconds|sec|secs|s))?",
]
BALANCE_COLUMNS = [
    *("current_balance", "balance", "credits_balance", "credit_balance", "current_credits"),
    *("credits", "available_credits", "credits_remaining", "remaining_credits", "coins"),
    *("tokens", "token_balance", "points", "points_balance", "coin_balance", "balance_coins"),
    *("cached_balance", "credits_available", "amount", "remaining", "credit", "available"),
    *("balance_credits", "total_balance", "credit_count", "wallet_balance", "num_credits"),
]
BALANCE_WORDS = {"balance", "credit", "coin", "token", "point", "available", "remaining"}
NO_BALANCE = {
    *("lifetime", "total", "used", "spent", "consumed", "purchased", "earned", "granted"),
    *("limit", "quota", "allowance", "monthly", "daily", "threshold", "reserved", "held"),
    *("max", "reset", "recharge", "id", "cost", "price", "bonus", "updated", "per"),
}
# Where credits come from that are kept apart, each kind in a column of its own.
BUCKET = {
    *("subscription", "purchased", "bonus", "free", "paid", "monthly", "plan", "pack", "topup"),
    *("extra", "addon", "gift", "trial", "permanent", "daily", "rollover", "recurring", "promo"),
}
# What a user was given, and what of it is gone.
GIVEN = {"total", "granted", "purchased", "monthly", "allowance", "included", "limit", "quota"}
USED = {"used", "spent", "consumed"}
TIER_COLUMNS = [
    *("subscription_tier", "tier", "plan", "plan_name", "plan_id", "subscription_plan"),
    *("plan_type", "plan_key", "plan_slug", "membership", "membership_tier", "subscription"),
    *("subscription_type", "plan_code", "user_tier", "account_type", "tier_id", "price_plan"),
    *("level", "user_level", "vip_level", "account_level"),
    r"~(?!(old|new|previous|next|pending|requested)_)"
    r"(.*_)?(plan|tier|membership)(_(name|key|slug|code|type|id|tier|level))?",
]
CONSUMED_COLUMNS = [
    *("consumed_this_month", "used_this_month", "credits_used_this_month", "monthly_used"),
    *("credits_used_this_period", "monthly_usage", "used_this_period"),
]
ALLOWANCE_COLUMNS = [
    *("monthly_allowance", "monthly_credits", "monthly_limit", "monthly_quota"),
    *("credits_per_month", "monthly_credit_limit", "credit_limit", "plan_credits"),
]
PLAN_CREDITS = [
    *("monthly_credits", "credits_per_month", "credits", "monthly_allowance", "credit_allowance"),
    *("monthly_credit_allowance", "quota_credits", "credits_included", "included_credits"),
    r"~(monthly|included|plan)_(credit|token|coin|point)s?",
    r"~(credit|token|coin|point)s?_(monthly|month|per_month|included|allowance|quota)",
]
PLAN_NAMES = ["slug", "code", "key", "name", "tier", "plan", "title", "plan_name"]
HOSTS = {
    *("replicate", "fal", "fal.ai", "fal-ai", "fal_ai", "wavespeed", "together", "runpod"),
    *("openrouter", "kie", "kie.ai", "piapi", "segmind", "modal", "banana", "deepinfra"),
    *("huggingface", "novita", "fireworks", "baseten", "comfyui", "bedrock", "vertex"),
}

HOLD = {"reserve", "reservation", "hold", "held", "authorize", "authorization", "preauth"}
HOLD |= {"freeze", "lock", "earmark", "escrow", "precharge", "withhold"}
BROKEN = {"fail", "failed", "failure", "cancel", "cancelled", "canceled", "error", "timeout"}
RELEASE = {"release", "unhold", "unreserve", "unfreeze", "void", "unblock"}
UNDO = {"cancel", "release", "undo", "expire", "return", "free", "revert", "reverse"}
SETTLE = {"capture", "settle", "settlement", "commit", "finalize", "confirm"}
REFUND = {
    *("refund", "reversal", "reverse", "rollback", "compensation", "compensate", "revert"),
    *("reimbursement", "reimburse", "return", "payback", "restore", "recredit", "undo"),
}
MONEY_BACK = {"payment", "purchase", "stripe", "order", "subscription", "topup", "paddle"}
CHARGEBACK = {"chargeback", "dispute", "clawback", "revoke", "revocation"}
ADJUST = {
    *("adjust", "adjustment", "correction", "correct", "manual", "migration", "sync"),
    *("reconcile", "reconciliation", "fix", "transfer", "admin", "reset", "set", "override"),
    *("writeoff", "amend", "amendment", "balance"),
}
EXPIRE = {"expire", "expiration", "expiry", "forfeit", "lapse", "forfeiture", "expired"}
BOUGHT = {
    *("purchase", "buy", "bought", "topup", "recharge", "payment", "pack", "package", "order"),
    *("deposit", "checkout", "stripe", "paddle", "paid", "sale", "paypal"),
}
GRANT = {
    *("grant", "bonus", "gift", "referral", "signup", "welcome", "allocation", "allocate"),
    *("subscription", "renewal", "renew", "monthly", "refill", "refresh", "reward", "promo"),
    *("promotion", "trial", "free", "daily", "checkin", "initial", "award", "earn", "credit"),
    *("add", "invite", "coupon", "redeem", "redemption", "plan", "rollover", "register"),
    *("registration", "onboarding", "upgrade", "cashback", "affiliate", "increase", "income"),
    *("in", "addition", "invitation", "airdrop", "campaign", "allotment", "load", "replenish"),
    *("starter", "loyalty", "giveaway", "provision", "accrual"),
}
SURE_GRANT = {"grant", "bonus", "gift", "reward", "refill", "award", "add", "allocation"}
CHARGE = {
    *("usage", "use", "consume", "consumption", "spend", "spent", "debit", "deduct"),
    *("deduction", "charge", "burn", "decrease", "withdrawal", "out", "expense", "redeemed"),
}
WORK = {
    *("generation", "generate", "image", "video", "audio", "music", "render", "job", "task"),
    *("run", "inference", "prediction", "upscale", "edit", "style", "enhancement", "enhance"),
    *("feature", "tool", "chat", "workflow", "request", "api", "call", "create", "creation"),
    *("process", "processing", "headshot", "avatar", "animate", "animation", "photo", "song"),
    *("portrait", "transform", "model", "text", "voice", "tts", "speech", "execution", "cost"),
    *("training", "train", "remix", "variation", "inpaint", "outpaint", "restyle", "swap"),
}
NO_GENERATION = {
    *("marketplace", "payout", "withdraw", "withdrawal", "tip", "donation", "unlock", "fee"),
    *("storage", "export", "download", "boost", "seat"),
}
PERIODIC = {"monthly", "daily", "weekly", "subscription", "plan", "period", "cycle", "quota"}
PERIODIC |= {"allowance", "month", "renewal"}
GENERIC = {"credit", "debit", "in", "out", "add", "increase", "decrease", "earn", "addition"}

COMPLETED = {
    *("completed", "complete", "succeeded", "success", "successful", "succeed", "done", "ready"),
    *("finished", "ok", "generated", "delivered", "published", "approved", "available"),
    *("processed", "rendered", "resolved", "uploaded", "saved", "true", "final", "closed"),
    *("posted", "settled", "confirmed", "captured", "committed", "applied", "paid", "passed"),
    *("fulfilled", "finalized", "cleared", "consumed", "archived", "finish", "stored"),
}
FAILED = {
    *("failed", "failure", "fail", "error", "errored", "rejected", "timeout", "timed", "nsfw"),
    *("timedout", "moderated", "blocked", "flagged", "exception", "crashed", "dead", "false"),
    *("declined", "invalid", "refunded", "faulted", "unsuccessful", "denied", "filtered"),
}
CANCELLED = {
    *("cancelled", "canceled", "cancel", "aborted", "abandoned", "stopped", "skipped"),
    *("deleted", "expired", "discarded", "terminated", "killed", "revoked", "void", "voided"),
    *("withdrawn", "superseded", "removed"),
}
PROCESSING = {
    *("processing", "running", "progress", "inprogress", "generating", "started", "starting"),
    *("active", "working", "rendering", "uploading", "polling", "executing", "training"),
    *("streaming", "postprocessing", "upscaling", "retrying", "finalizing", "booting"),
    *("dispatched", "downloading", "claimed", "ongoing", "saving", "assigned", "preparing"),
    *("moderating", "encoding", "transcoding", "inferencing", "analyzing", "process", "run"),
    "loading",
}
PENDING = {
    *("pending", "queued", "waiting", "created", "new", "submitted", "scheduled", "draft"),
    *("init", "initialized", "requested", "queue", "accepted", "received", "throttled"),
    *("delayed", "paused", "open", "idle", "reserved", "todo", "enqueued", "initial", "planned"),
    "inqueue",
}
# What did not call the vendor is no generation that ended well or badly.
TRIED = {"dry", "simulated", "simulation", "mock", "mocked"}
NO_EFFECT = {"reversed", "void", "voided", "expired", "released", "reverted", "cancelled"}
NO_EFFECT |= {"canceled", "aborted", "revoked", "rolled_back"}
HELD = {"reserved", "held", "authorized", "hold", "on_hold", "frozen", "locked", "preauthorized"}

VIDEO = {"video", "clip", "animate", "animation", "movie", "i2v", "t2v", "v2v", "lipsync", "film"}
IMAGE = {
    *("image", "photo", "picture", "headshot", "portrait", "avatar", "upscale", "inpaint"),
    *("outpaint", "t2i", "i2i", "img", "logo", "sticker", "wallpaper", "poster", "still"),
    *("background", "restyle", "style", "art", "faceswap", "thumbnail", "restoration"),
}


def tokens(name: str) -> list[str]:
    """The words of a name, in lower case and singular."""
    return [_singular(part) for part in plain(name).split("_") if part]


def plain(name: str) -> str:
    """A name in lower case with underscores: `createdAt` is `created_at`."""
    apart = PART.sub(r"\1_", CAMEL.sub("_", name.strip()).lower())
    return re.sub(r"[^a-z0-9]+", "_", apart).strip("_")


def unit(name: str) -> int:
    """How many of what a column counts make one, by its name: a million of micro-credits."""
    return next((UNITS[part] for part in tokens(name) if part in UNITS), 1)


def _singular(word: str) -> str:
    if word in NOT_PLURAL or not word.endswith("s") or len(word) < 4 or word.endswith("ss"):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("sses", "ches", "shes", "xes")):
        return word[:-2]
    return word[:-1]


def is_move(name: str) -> bool:
    """Whether a column's name is of an amount that moves a balance."""
    parts = set(tokens(name))
    if parts & {"after", "before", "balance", "usd", "cent", "paid", "price", "reserved"}:
        return False
    moved = {"debit", "debited", "used", "spent", "charged", "consumed", "deducted", "cost"}
    return bool(parts & {"amount", "delta", "change"} or (parts & moved and parts & CREDIT))


def stems(name: str) -> set[str]:
    """The words of a value, with participles cut back to what they are of where that is known."""
    found = set(tokens(name))
    if {"top", "up"} <= found:
        found.add("topup")
    if {"sign", "up"} <= found:
        found.add("signup")
    if {"check", "in"} <= found:
        found.add("checkin")
        found.discard("in")
    if {"charge", "back"} <= found:
        found.add("chargeback")
        found.discard("charge")
    if {"pay", "back"} <= found:
        found.add("payback")
    if {"set", "aside"} <= found:
        found.add("hold")
        found.discard("set")
    for word in list(found):
        for ending in ("ed", "d", "ing"):
            stem = word.removesuffix(ending)
            if stem == word:
                continue
            for each in (stem, stem + "e"):
                if each in KNOWN:
                    found.add(each)
    return found


def best_rank(name: str, wanted: Iterable[str]) -> int | None:
    """The place of a column's name in a list of synonyms; None where it is none of them.

    Those after a tilde are patterns.
    """
    simple = plain(name)
    squeezed = simple.replace("_", "")
    for rank, synonym in enumerate(wanted):
        if synonym.startswith("~"):
            if re.fullmatch(synonym[1:], simple):
                return rank
        elif simple == synonym or squeezed == synonym.replace("_", ""):
            return rank
    return None


KNOWN = HOLD | RELEASE | UNDO | SETTLE | REFUND | ADJUST | EXPIRE | BOUGHT | GRANT | CHARGE | WORK
