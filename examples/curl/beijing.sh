#!/bin/sh
# The city's own interface by hand, for sites that are integrated with it already: only the host is another.
#
#   CLIENT_ID=… CLIENT_SECRET=… REDIRECT_URI=https://site.example/callback sh beijing.sh
#
# Registered beforehand (bjidp clients add) with "interface": "beijing", the id and the secret that the site has, and that
# redirect_uri. openssl takes a key on its command line alone, where everybody on the machine reads it.
set -eu
: "${HOST:=http://127.0.0.1:8080}" "${CLIENT_ID:?}" "${CLIENT_SECRET:?}" "${REDIRECT_URI:?}"

base=$HOST/renzheng
post() {
  address=$1
  shift
  printf 'data-urlencode = "%s"\n' "$@" | curl --silent --show-error --fail --config - "$base$address"
}
member() { printf %s "$2" | sed -n "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p"; }
# AES-128 in ECB mode under the secret, as the interface has it.
sealed() { printf %s "$1" | openssl enc -aes-128-ecb -K "$CLIENT_SECRET" | od -An -v -tx1 | tr -d ' \n'; }
opened() {
  # In octal, since printf of a plain sh knows no other.
  printf "$(printf %s "$1" | sed 's/../& /g' | tr ' ' '\n' | while read -r byte; do
    [ -z "$byte" ] || printf '\\%03o' "0x$byte"
  done)" | openssl enc -d -aes-128-ecb -K "$CLIENT_SECRET"
}

state=$(openssl rand -hex 16)
echo "Open this in a browser, log in and agree:"
echo "$base/open/login/goUserLogin?client_id=$CLIENT_ID&redirect_uri=$REDIRECT_URI&response_type=code&scope=user_info&state=$state"
echo "Then paste the address that it came back to:"
read -r back

case $back in
  "$REDIRECT_URI"\?*"state=$state"*) ;;
  *) echo "not the answer to this request" >&2; exit 1 ;;
esac
code=$(printf %s "$back" | sed -n 's/.*[?&]code=\([^&]*\).*/\1/p')

tokens=$(post /api/oauth/getAccessToken "client_id=$CLIENT_ID" grant_type=authorization_code "grant_code=$code" \
  "auth_token=$(sealed "$CLIENT_ID:$CLIENT_SECRET:$(date +%s)000")")
echo "tokens $tokens"
token=$(member access_token "$tokens")

told=$(post /api/info/getUserInfo "access_token=$token")
echo "userinfo $told"
certificate=$(member certNo "$told")
[ -z "$certificate" ] || echo "certNo $(opened "$certificate")"
echo "before $(post /api/login/getSSOStatus "access_token=$token")"
post /api/login/doSSOLogout "access_token=$token" > /dev/null
echo "after $(post /api/login/getSSOStatus "access_token=$token")"
