import { createHash } from 'node:crypto';
import type { PackageFiles } from '../../src/packages/verifier/examination.js';
import { allowedSigner, sshSignature } from '../../src/platform/ssh-signature.js';
import type { SigningKey } from '../../src/platform/signing.js';
import { altered } from './evidence.js';

/** What somebody does who knows how packages are made, and wants to pass one off that is not as it was. */

export const digest = (bytes: Uint8Array, name = 'sha256') => createHash(name).update(bytes).digest('hex');

export const contentOf = async (files: PackageFiles, name: string): Promise<Buffer> =>
  Buffer.from((await files.get(name)?.read()) ?? []);

export const textIn = async (files: PackageFiles, name: string): Promise<string> => (await contentOf(files, name)).toString();

const isTag = (name: string) => !name.startsWith('data/') && !name.startsWith('signatures/') && name !== 'tagmanifest-sha256.txt';

/** Every digest and count is made right again; with a key, every signature too. */
export async function repaired(changed: PackageFiles, key?: SigningKey): Promise<PackageFiles> {
  const payload: [string, Buffer][] = [];
  for (const name of changed.keys()) if (name.startsWith('data/')) payload.push([name, await contentOf(changed, name)]);
  const manifest = (hash: string) => Buffer.from(payload.map(([name, bytes]) => `${digest(bytes, hash)}  ${name}\n`).join(''));
  const total = payload.reduce((sum, [, bytes]) => sum + bytes.length, 0);
  let info = (await textIn(changed, 'bag-info.txt')).replace(/^Payload-Oxum: .*$/m, `Payload-Oxum: ${total}.${payload.length}`);
  if (key !== undefined)
    info = info.replace(/^Signing-Key-SHA256: .*$/m, `Signing-Key-SHA256: ${key.keyId}`).replace(/^Time-Stamp: .*\n/m, '');
  let next = altered(changed, {
    'manifest-sha256.txt': manifest('sha256'), 'manifest-sha512.txt': manifest('sha512'), 'bag-info.txt': Buffer.from(info),
  });
  const tags: string[] = [];
  for (const name of next.keys()) if (isTag(name)) tags.push(`${digest(await contentOf(next, name))}  ${name}\n`);
  const tagManifest = Buffer.from(tags.join(''));
  next = altered(next, { 'tagmanifest-sha256.txt': tagManifest });
  return key === undefined ? next : altered(next, signaturesOf(tagManifest, key));
}

export const signaturesOf = (tagManifest: Buffer, key: SigningKey): Record<string, Buffer | undefined> => ({
  'signatures/tagmanifest.p256.sig': key.sign(tagManifest),
  'signatures/tagmanifest.sshsig': Buffer.from(sshSignature(key, tagManifest, 'call-evidence@v1')),
  'signatures/allowed_signers': Buffer.from(allowedSigner(key.publicPem, 'call-evidence', 'call-evidence@v1')),
  'signatures/evidence.pub.pem': Buffer.from(key.publicPem),
  'signatures/export.tsr': undefined,
  'signatures/export.tsr.p256.sig': undefined,
});

/** The same files with a JSON file edited. */
export async function editedJson<Value>(files: PackageFiles, name: string, edit: (value: Value) => unknown): Promise<PackageFiles> {
  const value = JSON.parse(await textIn(files, name)) as Value;
  const next = edit(value);
  return altered(files, { [name]: Buffer.from(`${JSON.stringify(next === undefined ? value : next, null, 2)}\n`) });
}

/** Custody with other lines; relinked, the digests in them are made right again, and so is the list of contents when asked. */
export async function editedCustody(
  files: PackageFiles, edit: (lines: string[]) => string[], { relink, recount = false }: { relink: boolean; recount?: boolean },
): Promise<PackageFiles> {
  const name = 'data/records/custody.jsonl';
  let lines = edit((await textIn(files, name)).trim().split('\n'));
  let previous = '0'.repeat(64);
  if (relink)
    lines = lines.map((line, index) => {
      const text = JSON.stringify({ ...(JSON.parse(line) as object), sequence: index + 1, previous });
      previous = digest(Buffer.from(text));
      return text;
    });
  const next = altered(files, { [name]: Buffer.from(`${lines.join('\n')}\n`) });
  if (!recount) return next;
  return await editedJson<{ recordings: { custody: object }[] }>(next, 'data/records/contents.json', ({ recordings: [first] }) => {
    if (first !== undefined) first.custody = { entries: lines.length, head: previous };
  });
}
