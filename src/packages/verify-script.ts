import { signatureNamespace, signerName } from './verifier/layout.js';

/**
 * `verify.sh`, as it lies in every package: POSIX sh and what most systems have (coreutils, openssl, ssh-keygen). It checks
 * digests and signatures; what the records say of the time between receipt and sealing is beyond it, and it says so.
 */
export const verifyScript = String.raw`#!/bin/sh
# Checks, without the service that made it, that nothing in this package changed since it was sealed.
# Exit code 0: unchanged since then. 1: changed. 2: could not be checked.
# Time stamps are checked where openssl is there. What else records say of the time before (custody, the chain that proves
# receipt, how copies were made) is not checked here: where there is a verify.html, that does.
# Compare the key's fingerprint with the one that the sender publishes: a package can bring any key along.
cd "$(dirname "$0")" || exit 2
LC_ALL=C
export LC_ALL
faults=0
checked=0
fault() { echo "CHANGED: $1"; faults=1; }
have() { command -v "$1" >/dev/null 2>&1; }
listed_in() { sed 's/^[0-9a-f]*  //' "$@"; }
# What a stranger wrote must not steer the terminal.
plain() { tr -cd '\n\040-\176'; }

if have sha256sum; then sum256='sha256sum'; sum512='sha512sum'
elif have shasum; then sum256='shasum -a 256'; sum512='shasum -a 512'
else echo 'sha256sum is needed'; exit 2
fi
have base64 || { echo 'base64 is needed'; exit 2; }

$sum256 -c tagmanifest-sha256.txt >/dev/null || fault 'a file listed in tagmanifest-sha256.txt'
$sum256 -c manifest-sha256.txt >/dev/null || fault 'a file listed in manifest-sha256.txt'
$sum512 -c manifest-sha512.txt >/dev/null || fault 'a file listed in manifest-sha512.txt'
for name in bagit.txt bag-info.txt manifest-sha256.txt manifest-sha512.txt; do
  grep -q "  $name\$" tagmanifest-sha256.txt || fault "$name is not covered by the signature"
done
[ "$(listed_in manifest-sha256.txt)" = "$(listed_in manifest-sha512.txt)" ] || fault 'the manifests list different files'

# Each file is listed, or is one of the signatures. What file managers leave behind is named and not looked at.
signatures='tagmanifest\.p256\.sig|tagmanifest\.sshsig|allowed_signers|evidence\.pub\.pem|export\.tsr|export\.tsr\.p256\.sig'
expected=$({ listed_in manifest-sha256.txt tagmanifest-sha256.txt; echo tagmanifest-sha256.txt; } | sort)
present=$(find . ! -type d ! -name .DS_Store ! -name Thumbs.db ! -name desktop.ini | sed 's|^\./||' |
  grep -v -x -E "signatures/($signatures)" | sort)
[ "$expected" = "$present" ] || fault 'files were added or taken away'
[ -z "$(find . ! -type d ! -type f)" ] || fault 'a link stands in the place of a file'
find . -type f \( -name .DS_Store -o -name Thumbs.db -o -name desktop.ini \) | plain |
  sed 's/^/NOTE, no part of the package and not checked: /'

# One key for both signatures, whichever of them can be checked here.
spki() { sed '/-----/d' signatures/evidence.pub.pem | base64 -d; }
key=$(spki | $sum256 | cut -c 1-64)
grep -q "^Signing-Key-SHA256: $key\$" bag-info.txt || fault 'the key is not the one that sealed this package'
ssh=$({ printf '\0\0\0\023ecdsa-sha2-nistp256\0\0\0\010nistp256\0\0\0A'; spki | tail -c 65; } | base64 | tr -d '\n')
[ "$(cat signatures/allowed_signers)" = '${signerName} namespaces="${signatureNamespace}" ecdsa-sha2-nistp256 '"$ssh" ] ||
  fault 'allowed_signers names another key'

# A token of a time-stamping authority, by the certificates that came with the package; where those have expired since, as of
# the moment that the token tells.
told_at() { openssl ts -reply -in "$1" -text 2>/dev/null | sed -n 's/^Time stamp: //p' | head -n 1 | plain; }
seconds_at() {
  told_at "$1" | awk '{ m = (index("JanFebMarAprMayJunJulAugSepOctNovDec", $1) + 2) / 3
    y = $4 - (m < 3); m = (m + 9) % 12; split($3, t, ":")
    days = 365 * y + int(y / 4) - int(y / 100) + int(y / 400) + int((m * 306 + 5) / 10) + $2 - 719469
    printf "%.0f\n", days * 86400 + t[1] * 3600 + t[2] * 60 + int(t[3]) }'
}
stamp_told() {
  what=$1
  token=$2
  shift 2
  set -- -verify "$@" -in "$token" -CAfile data/proofs/tsa-chain.pem
  # Not every openssl knows of -partial_chain.
  if openssl ts "$@" -partial_chain >/dev/null 2>&1 || openssl ts "$@" >/dev/null 2>&1
  then by='fits'
  elif openssl ts "$@" -partial_chain -attime "$(seconds_at "$token")" >/dev/null 2>&1
  then by='fits, by a certificate that has expired since'
  else echo "NOTE: the time stamp $what could not be verified with data/proofs/tsa-chain.pem; see README.en.txt"; return 1
  fi
  echo "Time stamp $what: $(told_at "$token"), $by"
}

if have openssl; then
  checked=1
  openssl dgst -sha256 -verify signatures/evidence.pub.pem -signature signatures/tagmanifest.p256.sig \
    tagmanifest-sha256.txt >/dev/null || fault 'the signature tagmanifest.p256.sig'
  if [ -f signatures/export.tsr ]; then
    openssl dgst -sha256 -verify signatures/evidence.pub.pem -signature signatures/export.tsr.p256.sig \
      signatures/export.tsr >/dev/null || fault 'the signature export.tsr.p256.sig'
    stamp_told 'of the whole' signatures/export.tsr -data tagmanifest-sha256.txt || true
  fi
fi
if grep -q '^Time-Stamp: ' bag-info.txt; then
  [ -f signatures/export.tsr ] || fault 'the time stamp export.tsr is missing'
else
  [ ! -e signatures/export.tsr ] || fault 'a time stamp was added'
fi

# Each token of a receipt is about a version of the recording that it lies with; contents.json has one fact a line.
digests_of() {
  FOLDER=$1 awk -F'"' '/^ *"proofs": "/ { folder = $4 }
    /^ *"sha256": "/ && folder == ENVIRON["FOLDER"] && length($4) == 64 && $4 !~ /[^0-9a-f]/ { print $4 }' data/records/contents.json
}
receipts=$([ ! -d data/proofs ] || find data/proofs -type f -name 'ingest*.tsr' | sort)
if [ -n "$receipts" ] && ! { have awk && have od; }; then
  echo 'NOTE: time stamps of the receipt were not checked: awk and od are needed'
  receipts=''
fi
while IFS= read -r receipt; do
  [ -n "$receipt" ] || continue
  name=$(echo "$receipt" | plain)
  bytes=$(od -An -v -tx1 "$receipt" | tr -d ' \n')
  about=''
  for digest in $(digests_of "$(dirname "$receipt")/"); do
    case $bytes in *"$digest"*) about=$digest ;; esac
  done
  if [ -z "$about" ]; then fault "the time stamp $name is about something else"
  elif have openssl; then stamp_told "of the receipt, $name" "$receipt" -digest "$about"
  fi
done <<END
$receipts
END
if [ -f data/proofs/tsa-chain.pem ]; then
  have openssl || echo 'NOTE: time stamps were not checked: openssl is not here'
  echo 'Whether an authority is to be trusted, the certificates in data/proofs/tsa-chain.pem cannot say: ask it for its own.'
fi

if have ssh-keygen; then
  checked=1
  ssh-keygen -Y verify -f signatures/allowed_signers -I ${signerName} -n ${signatureNamespace} \
    -s signatures/tagmanifest.sshsig <tagmanifest-sha256.txt >/dev/null || fault 'the signature tagmanifest.sshsig'
fi

grep '^Missing: ' bag-info.txt | plain | sed 's/^/INCOMPLETE, as the sender says: /'
echo "Key fingerprint: $key"
[ "$faults" = 0 ] || { echo 'Gewijzigd / Changed'; exit 1; }
[ "$checked" = 1 ] || { echo 'Digests fit, but neither openssl nor ssh-keygen is here to check the signature'; exit 2; }
echo 'Ongewijzigd sinds de verzegeling, als dit de sleutel is die de afzender bekendmaakt.'
echo 'Unchanged since it was sealed, if this is the key that the sender publishes.'
# What was handed to the person concerned holds nothing more to be checked.
[ -f verify.html ] || exit 0
echo 'Hier NIET nagegaan: bewaarverloop, bewijs van ontvangst in de keten, herkomst van kopieën. Dat doet verify.html.'
echo 'NOT checked here: custody, proof of receipt in the chain, how copies were made. verify.html does that.'
`;
