#!/usr/bin/env bash
# Buys a page with nothing but curl and jq, and prints its body.
#
# One key is one purchase: when this script is stopped anywhere and started again with the same key, nothing is paid twice. While a
# person decides it asks again and again; a refusal is printed with what to do next, and ends it with status 3.
#
#   COUNTERSIGN_URL=http://127.0.0.1:7402 COUNTERSIGN_TOKEN=… ./buy.sh URL KEY
set -euo pipefail
url=$1 key=$2

ask() { # METHOD PATH [BODY]
  curl --silent --show-error --noproxy '*' --max-time 60 --request "$1" "$COUNTERSIGN_URL$2" \
    --config <(printf 'header = "Authorization: Bearer %s"\n' "$COUNTERSIGN_TOKEN") \
    --header 'Content-Type: application/json' ${3:+--data "$3"}
}

body=$(jq --null-input --arg url "$url" --arg key "$key" '{url: $url, idempotency_key: $key, wait_seconds: 20}')
outcome=$(ask POST /v1/fetch "$body")
while [ "$(jq --raw-output .status <<<"$outcome")" = pending_approval ]; do
  echo "waiting for your approval in Countersign" >&2
  outcome=$(ask GET "/v1/payments/$(jq --raw-output .payment.id <<<"$outcome")?wait=25")
done

case $(jq --raw-output .status <<<"$outcome") in
  completed | not_required) jq --raw-output .response.body <<<"$outcome" ;;
  *)
    jq --raw-output '"\(.code // .status): \(.detail // "") \(.next // "")"' <<<"$outcome" >&2
    exit 3
    ;;
esac
