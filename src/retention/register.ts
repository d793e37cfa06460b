import type { PolicyName } from './policy.js';

/**
 * The register of the privacy statement: its table, row by row, also what other systems hold. The access answer gives the
 * rows that are not here as the officer's checklist. Source: the privacy statement, "Welke persoonsgegevens".
 */

export interface Told {
  nl: string;
  en: string;
}

export interface RegisterRow {
  id: string;
  service: Told;
  data: Told;
  kept: Told;
  /** Who decides about it: the organisation itself, or the organisation that it works for. */
  controller: 'organisation' | 'client';
  ground: 'contract' | 'legal_obligation' | 'legitimate_interest';
  purpose?: Told;
  /** The policy under which this service keeps it; null where another system does. */
  policy: PolicyName | null;
}

const general: Told = { nl: 'Algemeen', en: 'General' };
const untilEnd: Told = { nl: 'Tot einde dienstverlening', en: 'Until the service ends' };

export const register: readonly RegisterRow[] = [
  {
    id: 'contact_person',
    service: general,
    data: {
      nl: 'Naam, telefoonnummer en e-mailadres van de contactpersoon van uw organisatie.',
      en: 'Name, telephone number and e-mail address of the contact person of your organisation.',
    },
    kept: untilEnd, controller: 'organisation', ground: 'contract', policy: null,
  },
  {
    id: 'delivery_address',
    service: general,
    data: { nl: 'Adres waar de diensten worden geleverd.', en: 'Address where the services are delivered.' },
    kept: untilEnd, controller: 'client', ground: 'contract', policy: null,
  },
  {
    id: 'billing_name',
    service: general,
    data: { nl: 'Bedrijfsnaam voor facturatie.', en: 'Company name for invoicing.' },
    kept: untilEnd, controller: 'client', ground: 'contract', policy: null,
  },
  {
    id: 'traffic_data',
    service: general,
    data: {
      nl: 'Verkeersinformatie e-mails, telefonie en internet in het kader van een wettelijke aftapverplichting of informatieverzoek.',
      en: 'Traffic data of e-mail, telephony and internet for a statutory interception duty or request for information.',
    },
    kept: { nl: 'Zes maanden', en: 'Six months' },
    controller: 'organisation', ground: 'legal_obligation', policy: null,
  },
  {
    id: 'support_information',
    service: general,
    data: {
      nl: 'Informatie aangeleverd door gebruiker voor supportvragen.',
      en: 'Information supplied by the user for support questions.',
    },
    kept: { nl: 'Drie jaar', en: 'Three years' },
    controller: 'organisation', ground: 'contract', policy: 'support',
  },
  {
    id: 'call_recordings',
    service: general,
    data: { nl: 'Gespreksopnames als u ons belt.', en: 'Call recordings when you call us.' },
    kept: { nl: '90 dagen', en: '90 days' },
    controller: 'organisation', ground: 'legitimate_interest',
    purpose: {
      nl: 'Supportmedewerkers trainen; bewijs van gemaakte afspraken.',
      en: 'Training support agents; evidence of agreements.',
    },
    policy: 'recording',
  },
  {
    id: 'internet_connection',
    service: { nl: 'Internetverbinding', en: 'Internet connection' },
    data: {
      nl: 'ServiceId verbinding, LineId en publiek IP-adres.',
      en: 'Service id of the connection, line id and public IP address.',
    },
    kept: untilEnd, controller: 'client', ground: 'contract', policy: null,
  },
  {
    id: 'voip_telephony',
    service: { nl: 'VoIP-telefonie', en: 'VoIP telephony' },
    data: {
      nl: 'IP-adres en MAC-adres toestel, naam en telefoonnummer contacten.',
      en: 'IP address and MAC address of the device, name and telephone number of contacts.',
    },
    kept: untilEnd, controller: 'client', ground: 'contract', policy: null,
  },
  {
    id: 'contact_form',
    service: { nl: 'Website', en: 'Website' },
    data: { nl: 'Ingevulde gegevens contactformulier.', en: 'What was filled in on the contact form.' },
    kept: { nl: 'Eén jaar', en: 'One year' },
    controller: 'organisation', ground: 'contract', policy: 'contact_form',
  },
];

/** The grounds of the register in words. */
export const grounds: Record<RegisterRow['ground'], Told> = {
  contract: { nl: 'Uitvoering overeenkomst', en: 'Performance of contract' },
  legal_obligation: { nl: 'Wettelijke verplichting', en: 'Legal obligation' },
  legitimate_interest: { nl: 'Gerechtvaardigd belang', en: 'Legitimate interest' },
};

/** Somebody who handles the data for the organisation, and where. */
export interface Processor {
  role: 'storage' | 'database' | 'speech_to_text' | 'time_stamping' | 'sign_in';
  name: string;
  region: string;
}
