import { signatureNamespace, signerName } from './verifier/layout.js';

/** `verify.sh`, as it lies in every package: POSIX sh and what most systems have (coreutils, openssl, ssh-keygen). */
export const verifyScript = `#!/bin/sh
# Checks this package without the service that made it. Exit code 0: unchanged. 1: changed. 2: could not be checked.
# Compare the key's fingerprint with the one that the sender publishes: a package can bring any key along.
cd "$(dirname "$0")" || exit 2
LC_ALL=C
export LC_ALL
faults=0
checked=0
fault() { echo "CHANGED: $1"; faults=1; }
have() { command -v "$1" >/dev/null 2>&1; }

if have sha256sum; then sum256='sha256sum'; sum512='sha512sum'
elif have shasum; then sum256='shasum -a 256'; sum512='shasum -a 512'
else echo 'sha256sum is needed'; exit 2
fi

$sum256 -c tagmanifest-sha256.txt >/dev/null || fault 'a file listed in tagmanifest-sha256.txt'
$sum256 -c manifest-sha256.txt >/dev/null || fault 'a file listed in manifest-sha256.txt'
$sum512 -c manifest-sha512.txt >/dev/null || fault 'a file listed in manifest-sha512.txt'
listed=$(sed 's/^[0-9a-f]*  //' manifest-sha256.txt | sort)
present=$(find data -type f | sort)
[ "$listed" = "$present" ] || fault 'the list of files under data/'
for name in bagit.txt bag-info.txt manifest-sha256.txt manifest-sha512.txt; do
  grep -q "  $name\\$" tagmanifest-sha256.txt || fault "$name is not covered by the signature"
done

if have openssl; then
  checked=1
  openssl dgst -sha256 -verify signatures/evidence.pub.pem -signature signatures/tagmanifest.p256.sig \\
    tagmanifest-sha256.txt >/dev/null || fault 'the signature tagmanifest.p256.sig'
  key=$(openssl pkey -pubin -in signatures/evidence.pub.pem -outform DER | $sum256 | cut -c 1-64)
  grep -q "^Signing-Key-SHA256: $key\\$" bag-info.txt || fault 'the key is not the one that sealed this package'
  if [ -f signatures/export.tsr ]; then
    openssl dgst -sha256 -verify signatures/evidence.pub.pem -signature signatures/export.tsr.p256.sig \\
      signatures/export.tsr >/dev/null || fault 'the signature export.tsr.p256.sig'
    openssl ts -verify -data tagmanifest-sha256.txt -in signatures/export.tsr -CAfile data/proofs/tsa-chain.pem \\
      -partial_chain >/dev/null 2>&1 ||
      echo 'NOTE: the time stamp could not be verified with data/proofs/tsa-chain.pem; see README.en.txt'
  elif grep -q '^Time-Stamp: ' bag-info.txt; then fault 'the time stamp export.tsr is missing'
  fi
fi
if have ssh-keygen; then
  checked=1
  ssh-keygen -Y verify -f signatures/allowed_signers -I ${signerName} -n ${signatureNamespace} \\
    -s signatures/tagmanifest.sshsig <tagmanifest-sha256.txt >/dev/null || fault 'the signature tagmanifest.sshsig'
fi

grep '^Missing: ' bag-info.txt | sed 's/^/INCOMPLETE, as the sender says: /'
[ -n "$key" ] && echo "Key fingerprint: $key"
[ "$faults" = 0 ] || { echo 'Gewijzigd / Changed'; exit 1; }
[ "$checked" = 1 ] || { echo 'Digests fit, but neither openssl nor ssh-keygen is here to check the signature'; exit 2; }
echo 'Ongewijzigd sinds ontvangst / Unchanged since receipt, if this is the key that the sender publishes'
`;
