import type { PersonRole } from '../../src/access/caller.js';
import type { TestService } from './service.js';

/** Calls of one agent, to be trained with. */

/** The extension of the agent that the test service signs in. */
export const agentExtension = '201';

/** Gives the signed-in agent an extension. */
export async function giveExtension(service: TestService): Promise<string> {
  const { id } = service.signInOf('agent');
  await service.as('administrator').patch(`/api/v1/users/${id}`).send({ extensions: [agentExtension] }).expect(200);
  return id;
}

/** A processed call of the agent. */
export async function agentsCall(service: TestService, fields: Record<string, string> = {}, audio?: Buffer): Promise<string> {
  const id = await service.push({ agent: agentExtension, ...fields }, audio);
  await service.processed(id);
  return id;
}

/** Shares a call with the signed-in agent. */
export async function share(service: TestService, recordingId: string, body: object = {}): Promise<void> {
  await service
    .as('trainer')
    .put(`/api/v1/recordings/${recordingId}/shares/${service.signInOf('agent').id}`)
    .send(body)
    .expect(200);
}

/** As a request that was granted would: closes a recording to training, or to everything. */
export async function restrict(service: TestService, recordingId: string, purpose: 'training' | 'all' = 'training') {
  const { database, clock } = service.service.platform;
  await database.query(
    `INSERT INTO restrictions (id, category, item_id, purpose, ground, placed_by, placed_at)
     VALUES (gen_random_uuid(), 'recording', $1, $2, 'objection', $3, $4)`,
    [recordingId, purpose, service.signInOf('privacy_officer').id, clock.now()],
  );
}

/** The ids of a list as `role` sees it. */
export async function idsOf(service: TestService, role: PersonRole, path: string): Promise<string[]> {
  const answer = await service.as(role).get(`/api/v1${path}`).expect(200);
  return (answer.body as { items: { id: string }[] }).items.map((item) => item.id);
}
