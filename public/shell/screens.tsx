import type { ComponentType } from 'preact';
import { useState } from 'preact/hooks';
import { ApiProblem } from '../api/client.js';
import { Bones, Failure, useLoaded } from '../parts/state.js';
import { Recordings } from '../recordings/screen.js';

/** Every screen gets the `:id` of its address, or nothing. */
export interface ScreenProps {
  id: string;
}

type Screen = ComponentType<ScreenProps>;

/** A screen whose code comes when it is first opened, so that a list does not load the player. */
function later(load: () => Promise<Screen>): Screen {
  let loaded: Screen | undefined;
  function Later(props: ScreenProps) {
    const [Ready] = useState(() => loaded);
    const coming = useLoaded('code', async () => {
      try {
        return (loaded ??= await load());
      } catch {
        // The files of an older version are gone once a newer one is served.
        throw new ApiProblem(0, 'screen-missing', undefined, {});
      }
    });
    if (Ready) return <Ready {...props} />;
    if (coming.state === 'failed') return <Failure problem={coming.problem} again={() => location.reload()} />;
    if (coming.state === 'loading') return <Bones count={6} />;
    const Now = coming.value;
    return <Now {...props} />;
  }
  return Later;
}

/** What anybody may open, signed in or not. */
export const openScreens: { pattern: string; Component: Screen }[] = [
  { pattern: '/privacy-portal', Component: later(async () => (await import('../portal/screen.js')).PrivacyPortal) },
];

/** Which address shows which screen. */
export const screens: { pattern: string; Component: Screen }[] = [
  { pattern: '/recordings', Component: Recordings },
  { pattern: '/recordings/:id', Component: later(async () => (await import('../player/screen.js')).Player) },
  { pattern: '/tickets', Component: later(async () => (await import('../tickets/screen.js')).Tickets) },
  { pattern: '/tickets/:id', Component: later(async () => (await import('../tickets/ticket.js')).TicketScreen) },
  { pattern: '/account', Component: later(async () => (await import('../account/screen.js')).Account) },
  { pattern: '/collections', Component: later(async () => (await import('../collections/screen.js')).Collections) },
  {
    pattern: '/collections/:id',
    Component: later(async () => (await import('../collections/collection.js')).CollectionScreen),
  },
  { pattern: '/evaluations', Component: later(async () => (await import('../evaluations/screen.js')).Evaluations) },
  {
    pattern: '/evaluations/scorecards',
    Component: later(async () => (await import('../evaluations/cards.js')).Scorecards),
  },
  {
    pattern: '/evaluations/scorecards/new',
    Component: later(async () => (await import('../evaluations/card-screen.js')).NewCard),
  },
  {
    pattern: '/evaluations/scorecards/:id',
    Component: later(async () => (await import('../evaluations/card-screen.js')).CardScreen),
  },
  { pattern: '/evaluations/sample', Component: later(async () => (await import('../evaluations/sample.js')).Samples) },
  {
    pattern: '/evaluations/sample/:id',
    Component: later(async () => (await import('../evaluations/sample-calls.js')).SampleScreen),
  },
  {
    pattern: '/evaluations/coverage',
    Component: later(async () => (await import('../evaluations/coverage.js')).Coverage),
  },
  {
    pattern: '/evaluations/outcomes',
    Component: later(async () => (await import('../evaluations/outcomes.js')).Outcomes),
  },
  {
    pattern: '/evaluations/:id',
    Component: later(async () => (await import('../evaluations/evaluation.js')).EvaluationScreen),
  },
  { pattern: '/shared', Component: later(async () => (await import('../evaluations/shared.js')).SharedCalls) },
  { pattern: '/privacy', Component: later(async () => (await import('../privacy/queue.js')).Requests) },
  { pattern: '/privacy/new', Component: later(async () => (await import('../privacy/intake.js')).TakeIn) },
  {
    pattern: '/privacy/statistics',
    Component: later(async () => (await import('../privacy/statistics.js')).StatisticsScreen),
  },
  { pattern: '/privacy/letters', Component: later(async () => (await import('../privacy/templates.js')).Templates) },
  { pattern: '/privacy/:id', Component: later(async () => (await import('../privacy/request.js')).RequestScreen) },
  { pattern: '/audit', Component: later(async () => (await import('../audit/screen.js')).Audit) },
  { pattern: '/agreements', Component: later(async () => (await import('../evidence/find.js')).FindAgreements) },
  { pattern: '/packages', Component: later(async () => (await import('../evidence/packages.js')).Packages) },
  { pattern: '/verify', Component: later(async () => (await import('../evidence/verify.js')).Verify) },
  { pattern: '/retention', Component: later(async () => (await import('../retention/screen.js')).Retention) },
  {
    pattern: '/retention/register',
    Component: later(async () => (await import('../retention/register.js')).RegisterScreen),
  },
  {
    pattern: '/retention/tombstones',
    Component: later(async () => (await import('../retention/tombstones.js')).Tombstones),
  },
  { pattern: '/further-uses', Component: later(async () => (await import('../further-uses/screen.js')).FurtherUses) },
  { pattern: '/holds', Component: later(async () => (await import('../holds/screen.js')).Holds) },
  { pattern: '/admin/users', Component: later(async () => (await import('../admin/users.js')).Users) },
  { pattern: '/admin/ingest', Component: later(async () => (await import('../ingest/screen.js')).IngestScreen) },
  { pattern: '/admin/connect', Component: later(async () => (await import('../connect/screen.js')).Connect) },
  {
    pattern: '/admin/connect/:id',
    Component: later(async () => (await import('../connect/source.js')).ConnectSource),
  },
  { pattern: '/admin/keys', Component: later(async () => (await import('../admin/keys.js')).Keys) },
  {
    pattern: '/admin/organisation',
    Component: later(async () => (await import('../admin/organisation.js')).OrganisationScreen),
  },
];
