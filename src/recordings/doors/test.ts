import { z } from 'zod';
import type { Caller } from '../../access/caller.js';
import { operation, type Operation } from '../../platform/http.js';
import { Problem } from '../../platform/problem.js';
import { mostTestBytes, testSteps, testUpload, type Testing } from '../test-push.js';
import { discardUpload, receiveMultipart } from '../upload.js';
import { machineOf, type Door } from './door.js';

/** A test from the PBX: its key, its network and its curl, with a tone and no call. Nothing is kept of it. */

export const testOutcomeSchema = z
  .object({
    ok: z.boolean(),
    steps: z.array(z.object({ step: z.enum(testSteps), ok: z.boolean(), ms: z.int(), code: z.string().optional() })),
    durationMs: z.int().nullable().meta({ description: 'Of the sound as it was decoded' }),
  })
  .meta({ id: 'TestOutcome', description: 'How far the sound came, step by step' });

/** `POST /recordings/test`. */
export function testDoor(door: Door, testing: Testing): Operation<Caller>[] {
  return [
    operation({
      method: 'post',
      path: '/recordings/test',
      id: 'pushTest',
      tag: 'recordings',
      summary: 'Try the way a recording takes, with sound that is deleted again at once',
      description: 'The part `audio` is stored, proved, decoded and deleted before the answer; no recording comes of it. 2 MB at most.',
      action: 'recording.push',
      upload: { 'multipart/form-data': { schema: z.object({ audio: z.string().meta({ format: 'binary' }) }) } },
      replies: {
        200: { description: 'All steps were taken', schema: testOutcomeSchema.extend({ sha256: z.string().meta({ description: 'Of what came in' }) }) },
      },
      problems: ['not-audio', 'empty-recording', 'too-large', 'invalid-input', 'storage-unavailable', 'disk-low'],
      async handle({ caller, request }) {
        const machine = machineOf(caller);
        try {
          const limits = { ...door.limits, maxBytes: Math.min(mostTestBytes, door.limits.maxBytes) };
          const { file } = await receiveMultipart(request, { ...limits, fileParts: ['audio'] });
          try {
            if (file === undefined) throw new Problem('invalid-input', { errors: [{ path: 'audio', message: 'is required' }] });
            const outcome = await testUpload(testing, file);
            const failed = outcome.steps.find(({ ok }) => !ok);
            if (failed !== undefined) throw new Problem(failed.code ?? 'internal-error', { members: { steps: outcome.steps } });
            door.arrivals.note(machine.sourceId, { kind: 'test', outcome: 'received' });
            return { status: 200, body: { ...outcome, sha256: file.sha256 } };
          } finally {
            await discardUpload(file);
          }
        } catch (error) {
          const known = error instanceof Problem ? error : undefined;
          door.arrivals.note(machine.sourceId, { kind: 'test', outcome: known?.code ?? 'internal-error', faults: known?.errors });
          throw error;
        }
      },
    }),
  ];
}
