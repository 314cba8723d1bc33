#!/usr/bin/env bash
# The main job, done on real input: a server on an embedded data folder, Fashion-MNIST in, a CNN trained, evaluated,
# deployed and asked about pictures it has not seen. What exists already is reused. Called by `./dev up` after the build.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
data_dir=${ATELIER_DATA_DIR:-$root/data}
port=${ATELIER_PORT:-8080}
source_dir=${FASHION_MNIST:-/usr/share/datasets/fashion-mnist}
export ATELIER_URL=http://127.0.0.1:$port ATELIER_DATA_DIR=$data_dir
atelier=$root/build/bin/atelier

stage() { # stage NAME COMMAND...: runs it and prints its wall time
  local name=$1 start=$SECONDS
  shift
  printf '\n== %s\n' "$name"
  "$@"
  printf -- '-- %s: %d s\n' "$name" $((SECONDS - start))
}

healthy() { curl -fsS -o /dev/null --max-time 2 "$ATELIER_URL/healthz" 2>/dev/null; }

start_server() {
  if healthy; then
    echo "already running at $ATELIER_URL"
    return
  fi
  mkdir -p "$data_dir"
  setsid nohup "$atelier" serve --data-dir "$data_dir" --port "$port" >>"$data_dir/server.log" 2>&1 </dev/null &
  for _ in $(seq 100); do
    if healthy; then
      echo "listening at $ATELIER_URL"
      return
    fi
    sleep 0.1
  done
  echo "the server did not start; the end of $data_dir/server.log:" >&2
  tail -n 20 "$data_dir/server.log" >&2
  exit 1
}

have() { "$atelier" "$@" --json >/dev/null 2>&1; }

add_dataset() {
  if have dataset show fashion-mnist; then
    echo "the data set fashion-mnist is there already"
  else
    "$atelier" dataset add fashion-mnist "$source_dir"
  fi
}

train_model() {
  if have model show fashion-cnn; then
    echo "the model fashion-cnn is there already"
  else
    "$atelier" train cnn --data fashion-mnist --name fashion-cnn --set epochs=5 --follow
  fi
}

deploy_model() {
  if have deployment show fashion; then
    echo "the deployment fashion is there already"
  else
    "$atelier" deploy fashion-cnn --as fashion
  fi
}

ask() {
  python3 "$root/tools/idx_to_png.py" "$source_dir" "$data_dir/samples" 5
  local picture
  for picture in "$data_dir"/samples/*.png; do
    printf '%s  ->  ' "$(basename "$picture")"
    curl -fsS "$ATELIER_URL/v1/predict" -H "Authorization: Bearer $(cat "$data_dir/owner.key")" \
      -F model=fashion -F top_k=1 -F "file=@$picture"
    echo
  done
}

deploy_starter() {
  if have deployment show verse; then
    echo "the deployment verse is there already"
  else
    have model show verse || "$atelier" model import "$root/models/starter/verse.gguf" --name verse
    "$atelier" deploy verse
  fi
}

ask_starter() { # QUESTION...
  local question
  for question in "$@"; do
    printf '%s\n' "> $question"
    curl -fsS "$ATELIER_URL/v1/chat/completions" -H "Authorization: Bearer $(cat "$data_dir/owner.key")" \
      -H 'Content-Type: application/json' \
      -d "{\"model\": \"verse\", \"max_tokens\": 80, \"temperature\": 0.5, \"messages\": [{\"role\": \"user\", \"content\": \"$question\"}]}" |
      python3 -c 'import json, sys; print(json.load(sys.stdin)["choices"][0]["message"]["content"])'
  done
}

stage "server" start_server
stage "starter model (models/starter)" deploy_starter
stage "verse" ask_starter "What light is that?" "春夜"
stage "data" add_dataset
stage "training" train_model
stage "evaluation" "$atelier" evaluate fashion-cnn --data fashion-mnist --split test
stage "deployment" deploy_model
stage "answers (the number in a file's name is its true class)" ask

cat <<END

Atelier answers at $ATELIER_URL; the owner's key is in $data_dir/owner.key. Go on with:

  export ATELIER_URL=$ATELIER_URL ATELIER_API_KEY=\$(cat $data_dir/owner.key)
  curl \$ATELIER_URL/v1/predict -H "Authorization: Bearer \$ATELIER_API_KEY" -F model=fashion -F file=@$(ls "$data_dir"/samples/*.png | head -n 1)
  curl \$ATELIER_URL/v1/chat/completions -H "Authorization: Bearer \$ATELIER_API_KEY" -d '{"model": "verse", "temperature": 0.5, "messages": [{"role": "user", "content": "秋山"}]}'
  $atelier predict fashion $(ls "$data_dir"/samples/*.png | head -n 1)
  $atelier model show fashion-cnn
  $atelier train mlp --data fashion-mnist --name fashion-mlp --set layers=128,128 --follow

Stop it with: kill \$(pgrep -f 'atelier serve --data-dir $data_dir')
END
