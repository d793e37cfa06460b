import { hexOf, sha256, utf8 } from './bytes.js';
import type { Examination } from './examination.js';
import {
  statementPath, type Agreements, type Changes, type ContentRecording, type CustodyLine, type Wording,
} from './layout.js';
import { canonical } from './proof.js';

/** Custody names acts by digest; here what was written down of those acts is held against it. */

const digestOf = async (value: object): Promise<string> => hexOf(await sha256(utf8(canonical(value))));

/** Every correction that custody tells of is here with old and new value just as it was made, and no other. */
export async function checkChanges(
  examination: Examination, recording: ContentRecording, custody: readonly CustodyLine[],
): Promise<void> {
  const path = `${recording.records}changes.json`;
  const file = await examination.json<Changes>(path);
  await examination.guarded(path, async () => {
    if (file === undefined) return;
    const told = new Map(custody.flatMap(({ at, actor, details }) =>
      typeof details['changeId'] === 'string' ? [[details['changeId'], { at, by: actor, digest: details['digest'] }] as const] : []));
    let isSound = file.recordingId === recording.id && told.size === file.changes.length;
    const statements: string[] = [];
    for (const { id, at, by, fields, statement, salt } of file.changes) {
      const digest = await digestOf({ recordingId: recording.id, id, fields, statement, salt });
      isSound &&= canonical(told.get(id) ?? null) === canonical({ at, by, digest });
      if (statement !== null) statements.push(statement);
    }
    if (new Set(file.changes.map(({ id }) => id)).size !== file.changes.length || !isSound) examination.fault('custody', path);
    for (const [index, statement] of statements.entries()) {
      const place = statementPath(recording.records, index);
      if ((await examination.text(place)) !== statement) examination.fault('custody', place);
    }
    if (examination.files.has(statementPath(recording.records, statements.length))) examination.fault('custody', path);
  });
}

/** Every wording of an agreement is the one that was marked or corrected then, the present one is the last, and none is gone. */
export async function checkAgreements(
  examination: Examination, recording: ContentRecording, custody: readonly CustodyLine[], isTrailShort: boolean,
): Promise<void> {
  const path = `${recording.records}agreement.json`;
  const file = await examination.json<Agreements>(path);
  await examination.guarded(path, async () => {
    if (file === undefined) return;
    const told = new Map(custody.flatMap(({ details }) =>
      typeof details['agreementId'] === 'string' && typeof details['digest'] === 'string'
        ? [[`${details['agreementId']} ${String(details['revision'])}`, details['digest']] as const]
        : []));
    for (const { id, history, ...present } of file.agreements) {
      for (const [index, wording] of history.entries()) {
        const digest = told.get(`${id} ${wording.revision}`);
        // What was marked before the trail's own period began is in no custody file.
        const isSound = digest === undefined ? isTrailShort : digest === (await digestOf(wordingIn(recording.id, wording)));
        if (wording.revision !== index + 1 || !isSound) examination.fault('custody', path);
      }
      const last = history.at(-1);
      const same = last !== undefined && last.revision === present.revision &&
        canonical(wordingIn(recording.id, { ...last, salt: null })) === canonical(wordingIn(recording.id, { ...present, salt: null }));
      if (!same) examination.fault('custody', path);
    }
    const acts = (action: string) => custody.filter((line) => line.action === action).map(({ details }) => String(details['agreementId']));
    const withdrawn = new Set(acts('agreement.withdrawn'));
    const here = new Set(file.agreements.map(({ id }) => id));
    const isWhole = acts('agreement.marked').every((id) => here.has(id) !== withdrawn.has(id));
    if (!isWhole || here.size !== file.agreements.length || file.withdrawn.length !== withdrawn.size) examination.fault('custody', path);
  });
}

/** What a wording's digest is made of. */
const wordingIn = (recordingId: string, { startMs, endMs, summary, parties, ticket, salt }: Wording): object => ({
  recordingId, startMs, endMs, summary, parties, ticket, ...(salt === null ? {} : { salt }),
});
