#!/bin/sh
# The code flow by hand: pushed request, code, tokens, userinfo, introspection, refresh, revocation.
#
#   CLIENT_ID=… CLIENT_SECRET=… REDIRECT_URI=https://site.example/callback sh login.sh
#
# Registered beforehand (bjidp clients add) with that redirect_uri, the grants authorization_code and refresh_token, and
# the scope "openid profile offline_access".
set -eu
: "${ISSUER:=http://127.0.0.1:8080}" "${CLIENT_ID:?}" "${CLIENT_SECRET:?}" "${REDIRECT_URI:?}"

# Secrets go through standard input: everybody on the machine reads a command line.
post() {
  address=$1
  shift
  {
    printf 'user = "%s:%s"\n' "$CLIENT_ID" "$CLIENT_SECRET"
    printf 'data-urlencode = "%s"\n' "$@"
  } | curl --silent --show-error --fail-with-body --config - "$address"
}
userinfo() {
  printf 'header = "Authorization: Bearer %s"\n' "$1" |
    curl --silent --show-error --config - --write-out '\n%{http_code}\n' "$(member userinfo_endpoint "$known")"
}
member() { printf %s "$2" | sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }
base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }

known=$(curl --silent --show-error --fail "$ISSUER/.well-known/openid-configuration")

verifier=$(openssl rand 32 | base64url)
challenge=$(printf %s "$verifier" | openssl dgst -sha256 -binary | base64url)
state=$(openssl rand 16 | base64url)
nonce=$(openssl rand 16 | base64url)
pushed=$(post "$(member pushed_authorization_request_endpoint "$known")" response_type=code \
  "redirect_uri=$REDIRECT_URI" 'scope=openid profile offline_access' prompt=consent \
  "state=$state" "nonce=$nonce" "code_challenge=$challenge" code_challenge_method=S256)

echo "Open this in a browser, log in and agree:"
echo "$(member authorization_endpoint "$known")?client_id=$CLIENT_ID&request_uri=$(member request_uri "$pushed")"
echo "Then paste the address that it came back to:"
read -r back

case $back in
  "$REDIRECT_URI"\?*"state=$state"*) ;;
  *) echo "not the answer to this request" >&2; exit 1 ;;
esac
code=$(printf %s "$back" | sed -n 's/.*[?&]code=\([^&]*\).*/\1/p')
tokens=$(post "$(member token_endpoint "$known")" grant_type=authorization_code "code=$code" \
  "redirect_uri=$REDIRECT_URI" "code_verifier=$verifier")
echo "tokens $tokens"

echo "userinfo $(userinfo "$(member access_token "$tokens")")"
echo "introspection $(post "$(member introspection_endpoint "$known")" "token=$(member access_token "$tokens")")"

# The one from before is over from now on; used again, it ends the new one too.
tokens=$(post "$(member token_endpoint "$known")" grant_type=refresh_token \
  "refresh_token=$(member refresh_token "$tokens")")
echo "refreshed $tokens"

post "$(member revocation_endpoint "$known")" "token=$(member refresh_token "$tokens")" > /dev/null
echo "revoked $(userinfo "$(member access_token "$tokens")")"
