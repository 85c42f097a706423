#!/usr/bin/env bash
# A newcomer's tour by curl: test/tour.sh [URL]. It makes two accounts and erases them again.
set -euo pipefail

url=${1:-http://127.0.0.1:8000}
run=$$-$RANDOM
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT

# step WHAT EXPECTED-STATUS curl-arguments…: calls, shows what came, and stops at another status.
step() {
  local what=$1 expected=$2 status
  shift 2
  status=$(curl --silent --show-error --max-time 10 --output "$answer" --write-out '%{http_code}' "$@")
  printf '%-44s %s  %s\n' "$what" "$status" "$(head -c 100 "$answer")"
  if [ "$status" != "$expected" ]; then
    printf 'expected %s:\n%s\n' "$expected" "$(cat "$answer")" >&2
    exit 1
  fi
}

# The value of a field of the last answer, at the first place where it stands.
first() { grep -oE "\"$1\":\"?[^\",}]*" "$answer" | head -n 1 | sed -E "s/\"$1\":\"?//"; }
contains() { grep -q -- "$1" "$answer" || { echo "no $1 in: $(cat "$answer")" >&2; exit 1; }; }

json=(--header 'Content-Type: application/json')
password='rain on tin roofs'

step 'is the service ready?' 200 "$url/ready"
step 'sign up' 201 "$url/api/v1/users/signup" "${json[@]}" \
  --data "{\"email\":\"ann-$run@example.com\",\"password\":\"$password\",\"fname\":\"Ann\",\"lname\":\"Archer\"}"
step 'sign up again: taken' 409 "$url/api/v1/users/signup" "${json[@]}" \
  --data "{\"email\":\"ANN-$run@example.com\",\"password\":\"$password\",\"fname\":\"Ann\",\"lname\":\"Archer\"}"
step 'sign up with faults' 422 "$url/api/v1/users/signup" "${json[@]}" --data '{"email":"ann","password":"password1"}'
contains common_password
step 'sign in with a wrong password' 401 "$url/auth/token" \
  --data-urlencode "username=ann-$run@example.com" --data password=wrong
contains 'Incorrect email or password'
step 'sign in' 200 "$url/auth/token" \
  --data-urlencode "username=ann-$run@example.com" --data-urlencode "password=$password"
ann=(--header "Authorization: Bearer $(first access_token)")
refresh=$(first refresh_token)

step 'who am I?' 200 "$url/auth/me" "${ann[@]}"
step 'add a todo' 201 "$url/api/v1/todos" "${ann[@]}" "${json[@]}" --data '{"text":"Buy milk"}'
todo=$(first id)
step 'add another' 201 "$url/api/v1/todos" "${ann[@]}" "${json[@]}" --data '{"text":"Call the dentist"}'
step 'list them' 200 "$url/api/v1/todos/" "${ann[@]}"
contains 'Call the dentist'
step 'tick one, if unchanged since' 200 -X PATCH "$url/api/v1/todos/$todo" "${ann[@]}" "${json[@]}" \
  --header 'If-Match: "1.1"' --data '{"completed":true}'
contains '"completed":true'
step 'the same again comes too late' 412 -X PATCH "$url/api/v1/todos/$todo" "${ann[@]}" "${json[@]}" \
  --header 'If-Match: "1.1"' --data '{"completed":true}'
step 'find it' 200 "$url/api/v1/todos?q=MILK&completed=true" "${ann[@]}"
contains 'Buy milk'
step 'replace it' 200 -X PUT "$url/api/v1/todos/$todo" "${ann[@]}" "${json[@]}" --data '{"text":"Buy oats"}'
step 'read it with its owner' 200 "$url/api/v1/todos/$todo" "${ann[@]}"
contains "ann-$run@example.com"

step 'somebody else signs up' 201 "$url/api/v1/users/signup" "${json[@]}" \
  --data "{\"email\":\"bob-$run@example.com\",\"password\":\"$password\",\"fname\":\"Bob\",\"lname\":\"Baker\"}"
step 'and signs in' 200 "$url/auth/token" \
  --data-urlencode "username=bob-$run@example.com" --data-urlencode "password=$password"
bob=(--header "Authorization: Bearer $(first access_token)")
step 'and does not find it' 404 "$url/api/v1/todos/$todo" "${bob[@]}"

step 'delete it' 204 -X DELETE "$url/api/v1/todos/$todo" "${ann[@]}"
step 'it is gone' 404 "$url/api/v1/todos/$todo" "${ann[@]}"
step 'a new pair of tokens' 200 "$url/auth/token" --data grant_type=refresh_token --data-urlencode "refresh_token=$refresh"
ann=(--header "Authorization: Bearer $(first access_token)")
step 'erase the account' 204 -X DELETE "$url/auth/me" "${ann[@]}" "${json[@]}" --data "{\"password\":\"$password\"}"
step 'the token is good no more' 401 "$url/auth/me" "${ann[@]}"
step 'the other one too' 204 -X DELETE "$url/auth/me" "${bob[@]}" "${json[@]}" --data "{\"password\":\"$password\"}"
echo 'The tour is done.'
