import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isAction } from '../src/access/policy.js';
import { startTestService, type TestService } from './support/service.js';

/**
 * Every route of the OpenAPI document, asked by every role and by nobody. What is meant stands here once more, apart
 * from the policy table, so that a slip there shows. A route that does not stand here fails.
 */

const people = ['trainer', 'agent', 'privacy_officer', 'auditor', 'administrator'] as const;
const machines = ['pbx', 'helpdesk'] as const;
type Role = (typeof people)[number] | (typeof machines)[number];

const anyone = 'anyone, known or not';
const officer: Role[] = ['privacy_officer'];
const administrator: Role[] = ['administrator'];
const trainerOrOfficer: Role[] = ['trainer', 'privacy_officer'];
const retention: Role[] = ['privacy_officer', 'auditor', 'administrator'];
const overseers: Role[] = ['privacy_officer', 'auditor'];

/** Who may ever use a route. A line may stand here before its route does. */
const expected: Record<string, readonly Role[] | typeof anyone> = {
  'GET /openapi.json': anyone,

  'POST /session': anyone,
  'GET /session': people,
  'PATCH /session': people,
  'DELETE /session': people,
  'GET /session/ways': anyone,
  'GET /session/oidc': anyone,
  'GET /session/oidc/callback': anyone,
  'PUT /session/password': people,
  'POST /session/second-factor': people,
  'PUT /session/second-factor': people,
  'DELETE /session/second-factor': people,

  'GET /people': ['trainer', 'privacy_officer', 'auditor', 'administrator'],
  'GET /users': administrator,
  'POST /users': administrator,
  'GET /users/{id}': administrator,
  'PATCH /users/{id}': administrator,
  'POST /users/{id}/password': administrator,
  'DELETE /users/{id}/second-factor': administrator,
  'DELETE /users/{id}/identity': administrator,
  'GET /keys': administrator,
  'POST /keys': administrator,
  'POST /keys/{id}/rotate': administrator,
  'DELETE /keys/{id}': administrator,
  'GET /sources': administrator,
  'PATCH /sources/{id}': administrator,
  'GET /organisation': retention,
  'PUT /organisation': administrator,
  'GET /excluded-numbers': retention,
  'POST /excluded-numbers': administrator,
  'DELETE /excluded-numbers/{id}': administrator,

  'POST /recordings': ['pbx'],
  'POST /recordings/test': ['pbx'],
  'PUT /recordings/by-call/{callId}': ['pbx'],
  'PATCH /recordings/by-call/{callId}': ['pbx'],
  'PUT /push/{key}/recordings/{callId}': ['pbx'],
  'POST /push/{key}/rtpengine': ['pbx'],
  'POST /push/{key}/cdr/freeswitch': ['pbx'],
  'POST /cdr': ['pbx'],
  'GET /ingest': administrator,
  'POST /ingest/test': administrator,
  'GET /sources/{id}/arrivals': administrator,
  'GET /pbx/{file}': anyone,
  'GET /recordings': ['trainer', 'agent', 'privacy_officer', 'administrator'],
  'GET /recordings/{id}': ['trainer', 'agent', 'privacy_officer', 'administrator'],
  'GET /recordings/{id}/audio': ['trainer', 'agent', 'privacy_officer'],
  'GET /recordings/{id}/waveform': ['trainer', 'agent', 'privacy_officer'],
  'POST /recordings/{id}/heard': ['trainer', 'agent', 'privacy_officer'],
  'GET /recordings/{id}/listens': overseers,
  'GET /recordings/{id}/transcript': ['trainer', 'agent', 'privacy_officer'],
  'PUT /recordings/{id}/transcript': trainerOrOfficer,
  'GET /recordings/{id}/transcript/history': trainerOrOfficer,
  'POST /recordings/{id}/transcript/import': trainerOrOfficer,
  'POST /recordings/{id}/transcript/fetch': trainerOrOfficer,
  'GET /transcripts': trainerOrOfficer,
  'GET /recordings/{id}/shares': ['trainer'],
  'PUT /recordings/{id}/shares/{agentId}': ['trainer'],
  'DELETE /recordings/{id}/shares/{agentId}': ['trainer'],
  'GET /shared-calls': ['agent'],
  'GET /recordings/{id}/comments': ['trainer', 'agent'],
  'POST /recordings/{id}/comments': ['trainer', 'agent'],
  'POST /comments/{id}/replies': ['trainer', 'agent'],
  'PATCH /comments/{id}': ['trainer', 'agent'],
  'DELETE /comments/{id}': ['trainer', 'agent'],
  'GET /further-uses': people,
  'PUT /further-uses/{use}': administrator,
  'POST /further-uses/{use}/end': administrator,
  'GET /scorecards': ['trainer'],
  'POST /scorecards': ['trainer'],
  'GET /scorecards/{id}': ['trainer'],
  'PUT /scorecards/{id}': ['trainer'],
  'POST /recordings/{id}/evaluations': ['trainer'],
  'GET /evaluations': ['trainer', 'agent'],
  'GET /evaluations/{id}': ['trainer', 'agent'],
  'PUT /evaluations/{id}/draft': ['trainer'],
  'DELETE /evaluations/{id}/draft': ['trainer'],
  'POST /evaluations/{id}/submit': ['trainer'],
  'POST /evaluations/{id}/revise': ['trainer'],
  'PUT /evaluations/{id}/answer': ['agent'],
  'GET /evaluation-outcomes': ['trainer', 'agent'],
  'POST /samples': ['trainer'],
  'GET /samples': ['trainer'],
  'GET /samples/{id}': ['trainer'],
  'GET /training-overview': ['trainer'],
  'GET /collections': ['trainer'],
  'POST /collections': ['trainer'],
  'GET /collections/{id}': ['trainer'],
  'PATCH /collections/{id}': ['trainer'],
  'DELETE /collections/{id}': ['trainer'],
  'POST /collections/{id}/items': ['trainer'],
  'PATCH /collections/{id}/items/{itemId}': ['trainer'],
  'DELETE /collections/{id}/items/{itemId}': ['trainer'],
  'PUT /collections/{id}/order': ['trainer'],

  'PUT /tickets/by-external/{externalId}': ['helpdesk'],
  'POST /tickets/by-external/{externalId}/attachments': ['helpdesk'],
  'PUT /tickets/webhook-secret': ['helpdesk'],
  'POST /push/{key}/zammad': ['helpdesk'],
  'POST /push/{key}/zendesk': ['helpdesk'],
  'POST /push/{key}/webhook': ['helpdesk'],
  'GET /tickets': trainerOrOfficer,
  'GET /tickets/{id}': trainerOrOfficer,
  'GET /tickets/{id}/attachments/{attachmentId}': officer,
  'GET /tickets/{id}/suggestions': trainerOrOfficer,
  'GET /recordings/{id}/ticket-suggestions': trainerOrOfficer,
  'PUT /tickets/{id}/recordings/{recordingId}': trainerOrOfficer,
  'DELETE /tickets/{id}/recordings/{recordingId}': trainerOrOfficer,

  'GET /retention': retention,
  'POST /retention/sweeps': administrator,
  'GET /retention/sweeps/{id}': retention,
  'GET /retention/report': retention,
  'GET /retention/register': retention,
  'GET /retention/policies/{category}/preview': retention,
  'PUT /retention/policies/{category}': administrator,
  'POST /retention/lifecycle/check': administrator,
  'POST /retention/lifecycle/apply': administrator,
  'GET /tombstones': retention,
  'GET /holds': retention,
  'GET /holds/groups': retention,
  'POST /holds': officer,
  'GET /holds/by-number': officer,
  'POST /holds/by-number': officer,
  'POST /holds/groups/{id}/confirm': officer,
  'POST /holds/groups/{id}/release': officer,
  'POST /holds/{id}/confirm': officer,
  'POST /holds/{id}/release': officer,

  'POST /recordings/{id}/agreements': trainerOrOfficer,
  'GET /agreements': trainerOrOfficer,
  'GET /agreements/{id}': trainerOrOfficer,
  'PATCH /agreements/{id}': trainerOrOfficer,
  'POST /agreements/{id}/withdraw': trainerOrOfficer,
  'GET /evidence': officer,
  'GET /evidence/verifier': anyone,
  'POST /evidence': officer,
  'GET /evidence/{id}': officer,
  'GET /evidence/{id}/package': officer,

  'GET /privacy-requests': overseers,
  'POST /privacy-requests': officer,
  'GET /privacy-requests/{id}': overseers,
  'POST /privacy-requests/{id}/identity': officer,
  'POST /privacy-requests/{id}/search': officer,
  'GET /privacy-requests/{id}/items': overseers,
  'GET /privacy-requests/{id}/timeline': overseers,
  'POST /privacy-requests/{id}/items': officer,
  'POST /privacy-requests/{id}/extend': officer,
  'POST /privacy-requests/{id}/pause': officer,
  'POST /privacy-requests/{id}/resume': officer,
  'POST /privacy-requests/{id}/approve': officer,
  'GET /privacy-requests/{id}/package': officer,
  'GET /privacy-requests/{id}/letter': officer,
  'POST /privacy-requests/{id}/close': officer,
  'GET /privacy-requests/statistics': overseers,
  'PATCH /privacy-requests/{id}': officer,
  'POST /privacy-requests/{id}/merge': officer,
  'POST /privacy-requests/{id}/notes': officer,
  'POST /privacy-requests/{id}/lift': officer,
  'POST /privacy-requests/{id}/send-back': officer,
  'GET /privacy-requests/{id}/letter/draft': officer,
  'PUT /privacy-requests/{id}/letter/draft': officer,
  'GET /privacy-requests/{id}/items/{itemId}/preview': officer,
  'GET /privacy-requests/{id}/rectifications': officer,
  'POST /privacy-requests/{id}/items/{itemId}/rectifications': officer,
  'GET /privacy-requests/{id}/notifications': officer,
  'POST /privacy-requests/{id}/notifications/{notificationId}': officer,
  'POST /privacy-requests/{id}/deliveries': officer,
  'GET /privacy-requests/{id}/notices/{kind}': officer,
  'POST /privacy-requests/{id}/notices/{kind}': officer,
  'GET /privacy-requests/{id}/notifications/{notificationId}/letter': officer,
  'POST /privacy-requests/{id}/notifications/{notificationId}/letter': officer,
  'GET /deliveries/{token}': anyone,
  'POST /deliveries/{token}': anyone,
  // Open to anyone, and not there at all while the form is off.
  'GET /privacy-portal': anyone,
  'POST /privacy-portal': anyone,
  'GET /privacy-letter-templates/{locale}': officer,
  'PUT /privacy-letter-templates/{locale}': officer,
  'GET /recordings/{id}/flags': ['trainer', 'agent', 'privacy_officer'],
  'POST /recordings/{id}/flags': ['trainer', 'agent', 'privacy_officer'],
  'POST /tickets/{id}/flags': trainerOrOfficer,

  'GET /audit': overseers,
  'GET /audit/export': overseers,
  'GET /audit/verification': overseers,
};

/** Webhooks are signed besides, which an empty body is not: the gate lets them in, the door refuses without challenge. */
const signed = ['POST /push/{key}/zammad', 'POST /push/{key}/zendesk', 'POST /push/{key}/webhook'];

interface Described {
  security?: unknown[];
  requestBody?: { content: Record<string, unknown> };
  'x-action': string;
}

interface Route {
  name: string;
  method: 'get' | 'put' | 'post' | 'patch' | 'delete';
  path: string;
  described: Described;
}

let service: TestService;
let routes: Route[];

beforeAll(async () => {
  service = await startTestService();
  const document = (await service.nobody().get('/api/v1/openapi.json').expect(200)).body as {
    paths: Record<string, Record<string, Described>>;
  };
  routes = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, described]) => ({
      name: `${method.toUpperCase()} ${path}`,
      method: method as Route['method'],
      path,
      described,
    })),
  );
});
afterAll(() => service.close());

const isMachine = (role: Role) => role === 'pbx' || role === 'helpdesk';
const keyOf = (role: Role) => (role === 'pbx' ? service.pbxKey : service.helpdeskKey);

interface Asked {
  status: number;
  letIn: boolean;
}

/** Asks with ids of nothing and an empty body: enough to learn whether the door is open. */
async function ask({ name, method, path, described }: Route, role: Role | undefined): Promise<Asked> {
  const keyInPath = path.includes('{key}');
  const agent =
    role === undefined
      ? service.nobody()
      : isMachine(role)
        ? keyInPath
          ? service.nobody()
          : service.machine(keyOf(role))
        : service.as(role as (typeof people)[number]);
  const address = path
    .replace('{key}', role !== undefined && isMachine(role) ? keyOf(role) : `opn_${'x'.repeat(43)}`)
    .replaceAll(/\{\w+\}/g, () => randomUUID());
  const request = agent[method](`/api/v1${address}`);
  const { status, headers } = await (described.requestBody?.content['application/json'] === undefined
    ? request
    : request.send({}));
  const isUnsigned = signed.includes(name) && headers['www-authenticate'] === undefined;
  // Who was allowed to sign out did.
  if (method === 'delete' && path === '/session' && status === 204) await service.signInAgain();
  return { status, letIn: status < 500 && status !== 403 && (status !== 401 || isUnsigned) };
}

it('every route has an expectation', () => {
  expect(routes.map(({ name }) => name).filter((name) => expected[name] === undefined)).toEqual([]);
  expect(routes.length).toBeGreaterThan(20);
});

it('every route has a row in the policy table, or is said to be open to anyone', () => {
  for (const { name, described } of routes)
    if (expected[name] === anyone) expect([name, described.security]).toEqual([name, []]);
    else {
      expect([name, isAction(described['x-action'])]).toEqual([name, true]);
      expect([name, described.security]).toEqual([name, undefined]);
    }
});

it('nobody is let in but where anyone is', async () => {
  for (const route of routes) {
    const { status, letIn } = await ask(route, undefined);
    if (expected[route.name] === anyone) expect([route.name, status, letIn]).toEqual([route.name, status, true]);
    else expect([route.name, status, letIn]).toEqual([route.name, 401, false]);
  }
});

describe.each([...people, ...machines])('a %s', (role) => {
  it('is let in where it may be, and nowhere else', async () => {
    for (const route of routes) {
      const allowed = expected[route.name];
      const { status, letIn } = await ask(route, role);
      // Where the key stands in the path, the path decides: a person's cookie is not looked at.
      const refusal = route.path.includes('{key}') && !isMachine(role) ? 401 : 403;
      if (allowed === anyone || (allowed ?? []).includes(role))
        expect([route.name, status, letIn]).toEqual([route.name, status, true]);
      else expect([route.name, status, letIn]).toEqual([route.name, refusal, false]);
    }
  });
});
