import { setTimeout as sleep } from 'node:timers/promises';
import { sampleCalls, type SampleCall } from '../samples/calls.js';
import { Client } from './client.js';
import { addPerson, colleagues, officer, sanne, secondOfficer, signIn, trainer, type DemoPerson } from './people.js';

/** The people who work with the sample calls, signed in, and the calls they work with. */
export interface Stage {
  admin: Client;
  trainer: Client;
  officer: Client;
  secondOfficer: Client;
  sanne: Client;
  /** Nobody in particular: the outside world. */
  anyone: Client;
  sanneId: string;
  /** Waits until a sample call can be played. @returns its recording's id */
  call(file: string): Promise<string>;
}

interface Listed {
  items: { id: string; state: 'received' | 'ready' | 'failed' }[];
}

/** A sample call by its file: what is said in it, and when. @throws when there is none */
export function sample(file: string): SampleCall {
  const found = sampleCalls.find((call) => call.file === file);
  if (found === undefined) throw new Error(`There is no sample call ${file}`);
  return found;
}

/** @param pushed recordings by the file of their sample call */
export async function setStage(admin: Client, sanneId: string, pushed: ReadonlyMap<string, string>): Promise<Stage> {
  const { base, stopping } = admin;
  for (const added of [secondOfficer, ...colleagues]) await addPerson(admin, added);
  const enter = async (who: DemoPerson) => await signIn(new Client(base, stopping), who);
  const clients = {
    trainer: await enter(trainer),
    officer: await enter(officer),
    secondOfficer: await enter(secondOfficer),
    sanne: await enter(sanne),
  };
  return {
    admin,
    ...clients,
    anyone: new Client(base, stopping),
    sanneId,
    async call(file) {
      const id = pushed.get(file);
      if (id === undefined) throw new Error(`${file} was not pushed`);
      await until(stopping, async () => {
        // The list, because looking at one recording goes on record.
        const { items } = (await clients.trainer.send('GET', '/recordings?limit=100')) as unknown as Listed;
        const state = items.find((item) => item.id === id)?.state;
        if (state === 'failed') throw new Error(`${file} could not be made playable`);
        return state === 'ready';
      });
      return id;
    },
  };
}

/** Asks again and again until it is so. @throws when the demo is being stopped */
export async function until(stopping: AbortSignal, isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(300, undefined, { signal: stopping });
}
