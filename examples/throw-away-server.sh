# Owns the server that the examples run against: sourced by their `run`, it starts one on any free port over an empty
# store in a temporary folder, and ends and removes both with the script. POSIX sh.
# Gives COUNTERSIGN_URL, COUNTERSIGN_KEY (management), MODELS_KEY, FOLDER (for files of the example), stop_server, and
# replay_ledger (everything that was recorded, verified and decided again; fails where a decision differs).

ROOT=$(CDPATH='' cd -- ../.. && pwd -P)
FOLDER=$(mktemp -d)
PATH=$ROOT/node_modules/.bin:$ROOT:$PATH
server=

stop_server() {
  [ -n "$server" ] || return 0
  kill -TERM "$server" 2>/dev/null || true
  wait "$server" || true
  server=
}
replay_ledger() {
  countersign ledger export "$FOLDER/ledger" --json >/dev/null
  countersign ledger replay "$FOLDER/ledger" >"$FOLDER/replay" || { cat "$FOLDER/replay" >&2; return 1; }
  head -n 1 "$FOLDER/replay"
}
finish() {
  stop_server
  rm -rf "$FOLDER"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Settings of the caller belong to another server.
unset DATABASE_URL COUNTERSIGN_CONFIG COUNTERSIGN_MASTER_KEY COUNTERSIGN_MANAGEMENT_LISTEN COUNTERSIGN_LOG_LEVEL
export COUNTERSIGN_DATA_DIR="$FOLDER/store" COUNTERSIGN_LISTEN=127.0.0.1:0 COUNTERSIGN_PUBLIC_URL=http://gateway.example.com

countersign init --org example --owner alice@example.com --owner-name Alice >"$FOLDER/made" 2>/dev/null
countersign serve >"$FOLDER/server.log" 2>&1 &
server=$!
tries=0
until grep -q '"msg":"ready"' "$FOLDER/server.log"; do
  tries=$((tries + 1))
  if [ "$tries" -gt 300 ] || ! kill -0 "$server" 2>/dev/null; then
    cat "$FOLDER/server.log" >&2
    exit 1
  fi
  sleep 0.1
done

COUNTERSIGN_URL=$(sed -n 's/.*"url":"\([^"]*\)".*"msg":"ready".*/\1/p' "$FOLDER/server.log")
COUNTERSIGN_KEY=$(sed -n 's/^management key //p' "$FOLDER/made")
MODELS_KEY=$(sed -n 's/^models key *//p' "$FOLDER/made")
export COUNTERSIGN_URL COUNTERSIGN_KEY MODELS_KEY
