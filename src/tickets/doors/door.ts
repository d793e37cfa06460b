import type { Caller, Machine } from '../../access/caller.js';
import { Problem } from '../../platform/problem.js';
import type { AttachmentRules } from '../attachment.js';
import type { Delivery, DeliveryContext } from '../delivery.js';
import type { PresentedTicket } from '../present.js';
import type { TicketPlatform } from '../receive.js';
import type { UploadLimits } from '../../recordings/upload.js';

/** What every door is given: one file per helpdesk stands on this and on nothing else of its neighbours. */
export interface TicketDoor {
  platform: TicketPlatform;
  rules: AttachmentRules;
  /** Of attachments. */
  limits: UploadLimits;
  deliveryContext(machine: Machine): DeliveryContext;
  /** Takes the delivery in and shows the ticket as it now is to the machine that sent it. */
  receive(machine: Machine, externalId: string, delivery: Delivery): Promise<{ status: 200 | 201; ticketId: string; body: PresentedTicket }>;
}

/** A helpdesk is a machine: the policy lets no person push. */
export function machineOf(caller: Caller): Machine {
  if (caller.kind !== 'machine') throw new Problem('forbidden');
  return caller;
}
