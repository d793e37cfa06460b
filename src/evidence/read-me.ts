import { oneLine } from '../packages/bag.js';
import { signatureNamespace, signerName } from '../packages/verifier/layout.js';
import { dateFormat } from '../platform/date-format.js';

/** The READMEs of an evidence package, for someone who has nothing but the package. */

export interface ReadMeFacts {
  reference: string;
  controller: string;
  recipient: string;
  sealedAt: Date;
  scope: 'clips' | 'full';
  keyId: string;
  fingerprint: string;
  timeZone: string;
  timeStamped: boolean;
  /** Tokens of receipts, and the digests that they are about. */
  receipts: readonly { path: string; sha256: string }[];
  /** Paths of statements that the person concerned had attached to a recording (art. 16 GDPR). */
  statements: readonly string[];
  missing: readonly string[];
}

const momentIn = (language: 'nl' | 'en', { sealedAt, timeZone }: ReadMeFacts) =>
  dateFormat(language === 'nl' ? 'nl-NL' : 'en-GB', { dateStyle: 'long', timeStyle: 'long', timeZone }).format(sealedAt);

const listed = (paths: readonly string[]) => paths.map((path) => `  ${path}\n`).join('');

const stamp = (about: string, token: string) =>
  `  openssl ts -verify ${about} -in ${token} -CAfile data/proofs/tsa-chain.pem -partial_chain\n`;

const commands = ({ timeStamped, receipts: [receipt] }: ReadMeFacts) => `  sha256sum -c tagmanifest-sha256.txt
  sha256sum -c manifest-sha256.txt
  openssl dgst -sha256 -verify signatures/evidence.pub.pem -signature signatures/tagmanifest.p256.sig tagmanifest-sha256.txt
  ssh-keygen -Y verify -f signatures/allowed_signers -I ${signerName} -n ${signatureNamespace} \\
    -s signatures/tagmanifest.sshsig < tagmanifest-sha256.txt
  openssl pkey -pubin -in signatures/evidence.pub.pem -outform DER | sha256sum
${timeStamped ? stamp('-data tagmanifest-sha256.txt', 'signatures/export.tsr') : ''}${
  receipt === undefined ? '' : stamp(`-digest ${receipt.sha256}`, receipt.path)
}`;

/** README.nl.txt */
export function dutchReadMe(facts: ReadMeFacts): string {
  return `BEWIJSPAKKET ${facts.reference}
${facts.controller === '' ? '' : `Verantwoordelijke: ${oneLine(facts.controller)}\n`}Bestemd voor: ${oneLine(facts.recipient)}
Verzegeld: ${momentIn('nl', facts)}
Omvang: ${facts.scope === 'clips' ? 'de afgesproken passages, of een afgeschermde kopie; niet de hele opname' : 'met de opname precies zoals zij werd ontvangen'}
${facts.missing.length === 0 ? '' : `\nONVOLLEDIG. Dit ontbreekt:\n${listed(facts.missing)}`}
${facts.statements.length === 0 ? '' : `VERKLARING VAN DE BETROKKENE (art. 16 AVG): hoort bij de opname en wordt mee gelezen.
${listed(facts.statements)}
`}CONTROLEREN
Open verify.html in een browser (dat kan zonder internet) en kies dit pakket. Alleen dat gaat alles na wat hieronder bij "wat
dit bewijst" staat, op de tijdstempels na.
verify.sh (sh verify.sh), en de opdrachten hier, gaan na dat er sinds de verzegeling niets is gewijzigd en welke sleutel
tekende, en met openssl ook de tijdstempels: verify.sh die van elke opname. Het bewaarverloop, het bewijs van ontvangst in de
keten en de herkomst van kopieën gaan zij niet na. Op Windows werken zij in Git Bash of WSL; op macOS heet sha256sum soms
shasum -a 256, en wie -partial_chain niet kent laat het weg. verify.html werkt overal:
${commands(facts)}
De vingerafdruk van de sleutel is ${facts.fingerprint} (SHA-256: ${facts.keyId}).
Vergelijk die met de vingerafdruk die de verantwoordelijke bekendmaakt, langs een andere weg dan dit pakket: een pakket
kan elke sleutel meebrengen, en ook verify.html en verify.sh komen eruit.

WAT DIT BEWIJST
De SHA-256 van elke opname is bij ontvangst vastgelegd in een ondertekende keten van handelingen. data/proofs/ bewijst dat
die vastlegging, en elke regel van custody.jsonl, in de keten staat. data/records/ zegt wat er met de opname is gebeurd
(custody.jsonl: elke regel draagt de SHA-256 van de vorige), wat er aan de gegevens is verbeterd en wat er eerst stond
(changes.json), welke afspraak is gemarkeerd, in welke bewoordingen, en welke bewaartermijn geldt.
data/proofs/ingest.tsr is, als het er is, een tijdstempel van een derde over de opname, doorgaans van kort na de ontvangst:
het tijdstip staat erin (openssl ts -reply -in data/proofs/ingest.tsr -text). Na het verlopen van het certificaat van die
derde: openssl ts -verify … -attime SECONDEN, met een tijdstip ervoor; verify.sh doet dat zelf. Of die derde te vertrouwen
is, zegt tsa-chain.pem niet: vraag het stamcertificaat aan de tijdstempeldienst.

WAT DE ONDERTEKENAAR ZEGT
De fragmenten en kopieën in data/audio/derived/ zijn van de ontvangen opname gemaakt zoals derivation.json zegt; wachtmuziek
is eruit geknipt. Wie ook het origineel heeft, kan ze met dezelfde argumenten opnieuw maken en vergelijken.

WAT DIT NIET BEWIJST
Het pakket toont aan dat de opname ongewijzigd is sinds ontvangst. Niet wie er spreekt, niet of het gezegde waar is, en
niets over de tijd vóór de ontvangst.

Dit pakket bevat persoonsgegevens. Gebruik het alleen waarvoor het is verstrekt, en verwijder het daarna.
`;
}

/** README.en.txt */
export function englishReadMe(facts: ReadMeFacts): string {
  return `EVIDENCE PACKAGE ${facts.reference}
${facts.controller === '' ? '' : `Controller: ${oneLine(facts.controller)}\n`}For: ${oneLine(facts.recipient)}
Sealed: ${momentIn('en', facts)}
Scope: ${facts.scope === 'clips' ? 'the passages agreed upon, or a masked copy; not the whole recording' : 'with the recording exactly as it was received'}
${facts.missing.length === 0 ? '' : `\nINCOMPLETE. These are missing:\n${listed(facts.missing)}`}
${facts.statements.length === 0 ? '' : `STATEMENT OF THE PERSON CONCERNED (art. 16 GDPR): belongs to the recording and is read with it.
${listed(facts.statements)}
`}CHECKING IT
Open verify.html in a browser (no network is needed) and choose this package. It alone checks all that stands under "what
this proves", time stamps excepted.
verify.sh (sh verify.sh), and the commands here, check that nothing changed since it was sealed, and which key signed, and with
openssl the time stamps too: verify.sh that of each recording. Custody, the proof of receipt in the chain and how copies were
made are beyond them. On Windows they work in Git Bash or WSL; on macOS sha256sum may be called shasum -a 256, and an openssl
that does not know -partial_chain does without. verify.html works anywhere:
${commands(facts)}
The fingerprint of the key is ${facts.fingerprint} (SHA-256: ${facts.keyId}).
Compare it with the fingerprint that the controller publishes, by another way than this package: a package can bring any
key along, and verify.html and verify.sh come with it too.

WHAT THIS PROVES
The SHA-256 of each recording was put into a signed chain of acts when it was received. data/proofs/ proves that it, and every
line of custody.jsonl, stands in that chain. data/records/ tells what became of the recording (custody.jsonl: each line
carries the SHA-256 of the one before), what was corrected and what stood there before (changes.json), which agreement was
marked, in which wordings, and which retention period applies.
data/proofs/ingest.tsr, where it is there, is a time stamp that a third party gave over the recording, as a rule shortly
after its receipt: it tells when (openssl ts -reply -in data/proofs/ingest.tsr -text). Once the certificate of that party has
expired: openssl ts -verify … -attime SECONDS, with a moment before; verify.sh does so by itself. Whether that party is to be
trusted tsa-chain.pem cannot say: ask the time-stamping authority for its root certificate.

WHAT THE SIGNER SAYS
The clips and copies in data/audio/derived/ were made of the recording received as derivation.json tells; hold music is cut
out. Whoever has the original too can make them again with the same arguments, and compare.

WHAT THIS DOES NOT PROVE
The package shows that the recording is unchanged since receipt. Not who speaks, not whether what was said is true, and
nothing about the time before receipt.

This package contains personal data. Use it only for what it was handed out for, and delete it afterwards.
`;
}
