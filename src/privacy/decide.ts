import type { Right, Told, Verdict } from './rights.js';

/**
 * What the law has by default for one item and one right: pure. Driven by the legal ground of the item and the relation of
 * the requester, not by the name of a category. An officer may decide otherwise, with a reason.
 */

/** The ground on which an item is kept (art. 6(1) GDPR): (b) performance of a contract, (f) legitimate interest. */
export type LegalGround = '6(1)(b)' | '6(1)(f)';

export interface ItemFacts {
  kind: 'recording' | 'ticket';
  /** Of a ticket's requester; null where nobody told. */
  relation: 'contracting_party' | 'contact_person' | null;
  /** An agreement is marked in it: then it is still needed as evidence of that agreement. */
  hasAgreement: boolean;
  /** An objection to it was upheld, in this request or an earlier one. */
  objectionUpheld: boolean;
  /** A company has no rights of its own in it; an authority gets what its order names. Whoever else asks, asks for the person. */
  requester?: 'subject' | 'company' | 'authority' | undefined;
}

export interface Usual {
  /** Null: the law gives no answer by itself, the officer weighs. */
  verdict: Verdict | null;
  /** The article that leads to it. */
  article: string;
  ground: LegalGround;
  why: Told;
  /** Whether the officer has to decide; false where the law leaves nothing to decide. */
  decides: boolean;
  /** Carried out as another right: an objection under (b) is taken as a request to restrict. */
  as?: Right;
  /** What is offered instead, or while this one is pending. */
  offer?: Right;
}

/** Recordings rest on legitimate interest; what was supplied for support on the contract with whoever is its party. */
export function groundOf({ kind, relation }: Pick<ItemFacts, 'kind' | 'relation'>): LegalGround {
  return kind === 'recording' || relation === 'contact_person' ? '6(1)(f)' : '6(1)(b)';
}

type Cell = Omit<Usual, 'ground' | 'decides'> & { decides?: boolean };

const access: Record<ItemFacts['kind'], Cell> = {
  recording: {
    verdict: 'grant', article: '15(3)',
    why: {
      nl: 'U krijgt een kopie van het geluid, met de stem van de medewerker, en de uitgeschreven tekst als die er is.',
      en: 'You receive a copy of the audio, with the voice of the member of staff, and the transcript where there is one.',
    },
  },
  ticket: {
    verdict: 'grant', article: '15(1)',
    why: {
      nl: 'U krijgt alles wat bij de supportvraag is vastgelegd, ook interne notities.',
      en: 'You receive everything that was recorded with the support question, internal notes included.',
    },
  },
};

const rectification: Record<ItemFacts['kind'], Cell> = {
  recording: {
    verdict: 'grant', article: '16', offer: 'restriction',
    why: {
      nl: 'Aan het geluid zelf wordt niets veranderd. Uw verklaring wordt eraan toegevoegd, en onjuiste gegevens erover worden verbeterd.',
      en: 'The audio itself is never altered. Your statement is attached to it, and wrong details about it are corrected.',
    },
  },
  ticket: {
    verdict: 'grant', article: '16', offer: 'restriction',
    why: {
      nl: 'Onjuiste gegevens worden verbeterd. Wat er eerst stond, blijft in de geschiedenis van de supportvraag zichtbaar.',
      en: 'Wrong data are corrected. What stood there before stays visible in the history of the support question.',
    },
  },
};

function erasure(facts: ItemFacts): Cell {
  // Against what a contract requires there is no objection: that one was taken as a request of another kind.
  if (facts.objectionUpheld && groundOf(facts) === '6(1)(f)')
    return {
      verdict: 'grant', article: '17(1)(c)',
      why: { nl: 'U hebt bezwaar gemaakt en dat bezwaar is gegrond.', en: 'You objected, and your objection was upheld.' },
    };
  if (facts.kind === 'ticket')
    return {
      verdict: 'grant', article: '17(1)(a)', offer: 'restriction',
      why: {
        nl: 'De gegevens zijn niet langer nodig voor de dienstverlening.',
        en: 'The data are no longer needed for the service.',
      },
    };
  if (facts.hasAgreement)
    // Evidence of an agreement may still be needed; only a concrete claim or duty can say so.
    return {
      verdict: null, article: '17(1)(a), 17(3)(e)', offer: 'restriction',
      why: {
        nl: 'In de opname is een afspraak vastgelegd. Weigeren kan alleen met een concrete plicht of vordering en een datum waarop dat opnieuw wordt bekeken.',
        en: 'An agreement is marked in the recording. Refusal needs a concrete duty or claim and a date on which it is looked at again.',
      },
    };
  return {
    verdict: 'grant', article: '17(1)(a)',
    why: {
      nl: 'Er is geen afspraak in vastgelegd, en wij hebben dit niet langer nodig.',
      en: 'No agreement is marked in it, and we no longer need it.',
    },
  };
}

const restriction: Cell = {
  verdict: 'grant', article: '18(1)',
  why: {
    nl: 'De gegevens worden alleen nog bewaard. Zij worden niet gebruikt voor training en niet verstrekt, behalve in de gevallen van artikel 18 lid 2 AVG. U hoort van ons voordat de beperking wordt opgeheven.',
    en: 'The data are only stored. They are not used for training and not handed out, except in the cases of article 18(2) GDPR. We will tell you before the restriction is lifted.',
  },
};

const portability: Record<ItemFacts['kind'], Cell> = {
  recording: {
    verdict: 'refuse', article: '20(1)', offer: 'access', decides: false,
    why: {
      nl: 'Het recht op overdracht geldt voor gegevens die wij met toestemming of voor een overeenkomst verwerken. Opnamen berusten op een gerechtvaardigd belang. Met een verzoek om inzage kunt u er wel een kopie van krijgen.',
      en: 'The right to portability covers data that we process by consent or for a contract. Recordings rest on a legitimate interest. With a request for access you can receive a copy of them.',
    },
  },
  ticket: {
    verdict: 'grant', article: '20(1)',
    why: {
      nl: 'U krijgt wat u zelf hebt aangeleverd als JSON en CSV, met een beschrijving; zonder antwoorden en notities van medewerkers.',
      en: 'You receive what you supplied yourself as JSON and CSV, with a description; without replies and notes of staff.',
    },
  },
};

function objection(facts: ItemFacts): Cell {
  if (groundOf(facts) === '6(1)(b)')
    return {
      verdict: 'grant', article: '18(1), 17(1)', as: 'restriction', offer: 'erasure',
      why: {
        nl: 'Tegen verwerking die nodig is voor een overeenkomst is geen bezwaar mogelijk (artikel 21 AVG). Daarom is uw bezwaar behandeld als een verzoek om beperking: de gegevens worden alleen nog bewaard.',
        en: 'There is no objection to processing that a contract requires (article 21 GDPR). Your objection was therefore taken as a request for restriction: the data are only stored.',
      },
    };
  return {
    verdict: 'grant', article: '21(1)', offer: 'erasure',
    why:
      facts.kind === 'recording'
        ? {
            nl: 'Wij gebruiken dit niet meer: niet voor training en niet als bewijs van gemaakte afspraken.',
            en: 'We no longer use this: not for training and not as evidence of agreements.',
          }
        : { nl: 'De gegevens worden niet meer gebruikt.', en: 'The data are no longer used.' },
  };
}

/** What a company or an authority asks for is no right of a data subject. */
export const notTheirs: Record<'company' | 'authority', Cell> = {
  company: {
    verdict: 'refuse', article: '4(1), 15',
    why: {
      nl: 'Deze rechten komen toe aan de persoon om wiens gegevens het gaat, niet aan een organisatie. Die persoon kan het verzoek zelf doen, of u daartoe machtigen.',
      en: 'These rights belong to the person the data are about, not to an organisation. That person can make the request, or give you a mandate.',
    },
  },
  authority: {
    verdict: null, article: '6(1)(c)',
    why: {
      nl: 'Verstrekt wordt wat het bevel noemt, en niet meer.',
      en: 'What the order names is handed over, and no more.',
    },
  },
};

/** The law's default for `right` on an item. */
export function usualDecision(right: Right, facts: ItemFacts): Usual {
  const ground = groundOf(facts);
  const cells: Record<Right, () => Cell> = {
    access: () => access[facts.kind],
    rectification: () => rectification[facts.kind],
    erasure: () => erasure(facts),
    restriction: () => restriction,
    portability: () => portability[facts.kind],
    objection: () => objection(facts),
  };
  const { requester = 'subject' } = facts;
  const cell = requester === 'subject' ? cells[right]() : notTheirs[requester];
  return { decides: true, ...cell, ground };
}

/** How all the decisions of a process turn out together. Cells in which the law leaves nothing to decide do not count. */
export function outcomeOf(verdicts: readonly Verdict[]): 'granted' | 'partly' | 'refused' | 'nothing_found' {
  if (verdicts.length === 0) return 'nothing_found';
  if (verdicts.every((verdict) => verdict === 'grant')) return 'granted';
  return verdicts.every((verdict) => verdict === 'refuse') ? 'refused' : 'partly';
}
