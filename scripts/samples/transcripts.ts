/** Made by make.sh from dialogues.txt: what is said in the sample calls, and when. */

export interface TranscriptLine {
  /** From the beginning of the recording. */
  atMs: number;
  who: 'caller' | 'agent';
  text: string;
}

export interface Transcript {
  durationMs: number;
  /** Hold music. */
  holds: { startMs: number; endMs: number }[];
  lines: TranscriptLine[];
}

export const transcripts = {
  'router-offline': {
    durationMs: 54505,
    holds: [],
    lines: [
      { atMs: 400, who: 'agent', text: 'Goedemorgen, support, u spreekt met Sanne.' },
      { atMs: 3650, who: 'caller', text: 'Ja, goedemorgen, met Peter Hoekstra van Garage Hoekstra. Sinds vanmorgen acht uur hebben we geen internet meer. De kassa doet het niet, en bellen kan ook niet.' },
      { atMs: 13682, who: 'agent', text: 'Dat is vervelend. Ik kijk even mee. Welke lampjes branden er op de router?' },
      { atMs: 18793, who: 'caller', text: 'Even kijken. De bovenste is groen, en die daaronder knippert rood.' },
      { atMs: 23033, who: 'agent', text: 'Dan ziet hij geen lijn. Ik start een meting, dat duurt een paar tellen.' },
      { atMs: 30406, who: 'agent', text: 'Ja, ik zie het. De lijn is vannacht om tien over vier weggevallen. Wilt u de stekker er even uithalen, en na tien tellen weer terug doen?' },
      { atMs: 38829, who: 'caller', text: 'Doe ik nu.' },
      { atMs: 43223, who: 'caller', text: 'Zo. Nu is hij helemaal groen!' },
      { atMs: 45635, who: 'agent', text: 'Mooi, ik zie hem ook weer online. Ik zet het in een ticket, en bel u vanmiddag of het stabiel blijft.' },
      { atMs: 52015, who: 'caller', text: 'Heel fijn, dank u wel.' },
    ],
  },
  'number-porting': {
    durationMs: 51311,
    holds: [],
    lines: [
      { atMs: 400, who: 'agent', text: 'Goedemiddag, met Daan van support.' },
      { atMs: 2750, who: 'caller', text: 'Hallo Daan, met Karin de Wit van Bakkerij De Korenaar. Wij stappen naar jullie over met de telefonie, en ik wil weten wanneer ons nummer meegaat.' },
      { atMs: 11121, who: 'agent', text: 'Dan zoek ik de aanvraag erbij. Gaat het om nul acht vijf, nul nul nul, nul een tien?' },
      { atMs: 16670, who: 'caller', text: 'Ja, dat is het hoofdnummer. En er horen nog tien doorkiesnummers bij.' },
      { atMs: 21016, who: 'agent', text: 'Die tien staan niet op het formulier. Als we ze vergeten, blijven ze bij uw oude aanbieder achter. Ik voeg ze nu toe.' },
      { atMs: 30141, who: 'caller', text: 'O, goed dat je het ziet. Verandert de datum dan?' },
      { atMs: 33835, who: 'agent', text: 'Nee, het blijft donderdag, tussen acht en tien uur \'s ochtends. In dat tijdvak kunt u een kwartier onbereikbaar zijn.' },
      { atMs: 40803, who: 'caller', text: 'Een kwartier is geen probleem, als het maar voor tien uur klaar is.' },
      { atMs: 44765, who: 'agent', text: 'Dat spreken we zo af. U krijgt vandaag nog een bevestiging per e-mail.' },
      { atMs: 49058, who: 'caller', text: 'Prima, dankjewel.' },
    ],
  },
  'contract-agreed': {
    durationMs: 53367,
    holds: [],
    lines: [
      { atMs: 400, who: 'agent', text: 'Goedemiddag, u spreekt met Meryem.' },
      { atMs: 3012, who: 'caller', text: 'Met Zoë van der Berg, van Studio Van der Berg. Ik heb jullie offerte voor glasvezel hier voor me liggen.' },
      { atMs: 9550, who: 'agent', text: 'Mooi. Zullen we hem samen doornemen?' },
      { atMs: 12335, who: 'caller', text: 'Graag. Ik wil zeker weten wat ik betaal.' },
      { atMs: 15705, who: 'agent', text: 'Het is zakelijk glasvezel, vijfhonderd megabit, voor negenendertig euro vijftig per maand, exclusief b t w. De looptijd is vierentwintig maanden. De aansluitkosten vervallen.' },
      { atMs: 26962, who: 'caller', text: 'Dus vierentwintig maanden voor negenendertig vijftig, en geen eenmalige kosten?' },
      { atMs: 31787, who: 'agent', text: 'Dat klopt. Na die twee jaar kunt u per maand opzeggen. Gaat u daarmee akkoord?' },
      { atMs: 36893, who: 'caller', text: 'Ja. Akkoord met vierentwintig maanden voor negenendertig vijftig.' },
      { atMs: 41216, who: 'agent', text: 'Dan leg ik dat zo vast. De monteur komt dinsdag, tussen negen en elf. Past dat?' },
      { atMs: 47074, who: 'caller', text: 'Ja, dan ben ik er.' },
      { atMs: 48813, who: 'agent', text: 'U krijgt de bevestiging vandaag per mail. Dank u wel.' },
    ],
  },
  'complaint-engineer': {
    durationMs: 52542,
    holds: [],
    lines: [
      { atMs: 400, who: 'agent', text: 'Support, goedemiddag, met Joost.' },
      { atMs: 2873, who: 'caller', text: 'Met Jan de Vries. Dit is de derde keer dat ik bel, en ik ben er nu echt klaar mee. Uw monteur zou tussen acht en twaalf komen, en er is weer niemand geweest.' },
      { atMs: 11784, who: 'agent', text: 'Dat begrijp ik, meneer De Vries. U bent voor niets thuisgebleven. Mag ik kijken wat er is misgegaan?' },
      { atMs: 18347, who: 'caller', text: 'Ga uw gang. Maar ik wil geen smoesjes meer.' },
      { atMs: 24874, who: 'agent', text: 'Ik zie het. De afspraak is gisteren verzet, en daar heeft niemand u over gebeld. Dat is onze fout.' },
      { atMs: 31409, who: 'caller', text: 'Dat had u toch kunnen laten weten? Ik heb twee klanten moeten afzeggen.' },
      { atMs: 35535, who: 'agent', text: 'Dat had gemoeten. Ik plan u nu zelf in, morgen als eerste, om acht uur. En u krijgt een maand abonnement terug.' },
      { atMs: 42985, who: 'caller', text: 'Nou. Dan zie ik hem morgen om acht uur. En die vergoeding wil ik graag zwart op wit.' },
      { atMs: 48331, who: 'agent', text: 'Die mail heeft u binnen tien minuten. Nogmaals mijn excuses.' },
    ],
  },
  'erasure-request': {
    durationMs: 57766,
    holds: [],
    lines: [
      { atMs: 400, who: 'agent', text: 'Support, met Sanne, goedemiddag.' },
      { atMs: 2873, who: 'caller', text: 'Goedemiddag, met Fatima El Amrani. Ik werk sinds januari niet meer bij Drukkerij Van Dijk, maar ik sta bij jullie nog steeds als contactpersoon.' },
      { atMs: 12190, who: 'agent', text: 'Dat kan ik laten aanpassen. Wilt u dat we u uit het systeem halen?' },
      { atMs: 16361, who: 'caller', text: 'Ja, ik wil dat mijn gegevens worden verwijderd. Mijn naam, mijn mobiele nummer, en ook de opnames van gesprekken. Daar heb ik recht op volgens de A V G.' },
      { atMs: 26173, who: 'agent', text: 'Dan leg ik dat nu vast als verwijderverzoek. Het telt vanaf vandaag. U krijgt binnen een maand antwoord van onze privacyfunctionaris.' },
      { atMs: 34585, who: 'caller', text: 'Moet ik daarvoor nog iets opsturen?' },
      { atMs: 36993, who: 'agent', text: 'Nee. We bellen u terug op het nummer dat we van u kennen, om zeker te weten dat u het bent.' },
      { atMs: 42657, who: 'caller', text: 'Oké. En kan ik ook te horen krijgen wat er in die opnames staat?' },
      { atMs: 46600, who: 'agent', text: 'Ja, u mag ook om een kopie vragen. Zal ik dat erbij zetten?' },
      { atMs: 50519, who: 'caller', text: 'Graag. Eerst de kopie, en dan verwijderen.' },
      { atMs: 53969, who: 'agent', text: 'Zo staat het er. Dank u wel voor het bellen.' },
    ],
  },
  'one-way-audio': {
    durationMs: 52621,
    holds: [{ startMs: 19659, endMs: 27659 }],
    lines: [
      { atMs: 400, who: 'agent', text: 'Support, met Daan.' },
      { atMs: 1936, who: 'caller', text: 'Hoi, met Bas Mulder, ook van Bakkerij De Korenaar. Als wij bellen, horen we de klant niet, maar hij ons wel.' },
      { atMs: 8991, who: 'agent', text: 'Aha. Bij alle toestellen, of alleen bij een paar?' },
      { atMs: 12388, who: 'caller', text: 'Alleen bij de twee nieuwe in de winkel.' },
      { atMs: 14755, who: 'agent', text: 'Dan denk ik aan de firewall. Ik zet u even in de wacht, dan vraag ik het na.' },
      { atMs: 28059, who: 'agent', text: 'Daar ben ik weer, bedankt voor het wachten. De winkel zit in een ander netwerk, en daar stond de hulp voor telefonie nog aan. Die heb ik uitgezet. Wilt u het nu proberen?' },
      { atMs: 38539, who: 'caller', text: 'Moment, ik bel even met de andere lijn.' },
      { atMs: 45985, who: 'caller', text: 'Ja! Ik hoor hem nu gewoon.' },
      { atMs: 48350, who: 'agent', text: 'Mooi zo. Komt het terug, noem dan dit ticketnummer.' },
    ],
  },
  'cancel-line': {
    durationMs: 43648,
    holds: [],
    lines: [
      { atMs: 400, who: 'agent', text: 'Good afternoon, support, this is Meryem.' },
      { atMs: 3328, who: 'caller', text: 'Hello, this is Bob Example, from Example Consulting. We are moving abroad, so I would like to cancel our internet line.' },
      { atMs: 10760, who: 'agent', text: 'I am sorry to see you go. Your contract runs until the thirtieth of April. Shall I stop it on that date?' },
      { atMs: 17192, who: 'caller', text: 'Yes, please. Will there be any extra costs?' },
      { atMs: 20622, who: 'agent', text: 'None. You only need to send back the router within two weeks. I will e-mail you the label.' },
      { atMs: 26072, who: 'caller', text: 'And our phone number? Can we keep it?' },
      { atMs: 28824, who: 'agent', text: 'Yes. I can turn it into a cloud number, for five euros a month. You can cancel that at any time.' },
      { atMs: 35036, who: 'caller', text: 'All right, I agree. Five euros a month, starting in May.' },
      { atMs: 39221, who: 'agent', text: 'Agreed. You will have it in writing today. Thank you, Bob.' },
    ],
  },
  'wrong-invoice': {
    durationMs: 44330,
    holds: [],
    lines: [
      { atMs: 400, who: 'agent', text: 'Support, good morning, you are speaking with Joost.' },
      { atMs: 3663, who: 'caller', text: 'Good morning, this is Priya Nair from Orchard Labs. We were invoiced for six phone lines in February, and we only have four.' },
      { atMs: 10515, who: 'agent', text: 'Let me have a look at that for you.' },
      { atMs: 16155, who: 'agent', text: 'You are right. Two lines were closed in January, and the invoice was made before that. I will credit both of them.' },
      { atMs: 23138, who: 'caller', text: 'Thank you. Do I need to pay the old invoice first?' },
      { atMs: 26575, who: 'agent', text: 'No, please wait for the new one. You will get it before the end of the week.' },
      { atMs: 30887, who: 'caller', text: 'Lovely. And could you send it to our new address? Finance at orchard labs dot example.' },
      { atMs: 36246, who: 'agent', text: 'Finance at orchard labs dot example. I have changed it. Anything else?' },
      { atMs: 41029, who: 'caller', text: 'No, that was all. Have a nice day.' },
    ],
  },
  'password-refused': {
    durationMs: 22876,
    holds: [],
    lines: [
      { atMs: 400, who: 'agent', text: 'Support, met Joost.' },
      { atMs: 2023, who: 'caller', text: 'Ja, ik bel namens Garage Hoekstra. Ik heb het wachtwoord van de router nodig. Met spoed.' },
      { atMs: 7600, who: 'agent', text: 'Dat kan. Ik bel u daarvoor terug, op het nummer dat wij van het bedrijf kennen.' },
      { atMs: 12458, who: 'caller', text: 'Nee, dat komt nu niet uit. Geef het nou maar gewoon.' },
      { atMs: 16192, who: 'agent', text: 'Dat doe ik niet, meneer. Zonder terugbellen geven wij geen wachtwoorden.' },
      { atMs: 20760, who: 'caller', text: 'Nou, laat dan maar.' },
    ],
  },
  'mailbox-restored': {
    durationMs: 42485,
    holds: [],
    lines: [
      { atMs: 400, who: 'agent', text: 'Goedemorgen, support, met Sanne.' },
      { atMs: 3046, who: 'caller', text: 'Goedemorgen, met Ahmet Yılmaz van Yilmaz Bouw. Ik heb gisteren per ongeluk een hele map met offertes weggegooid. Kunnen jullie die terughalen?' },
      { atMs: 11983, who: 'agent', text: 'Waarschijnlijk wel. Van welke dag heeft u hem nodig?' },
      { atMs: 15842, who: 'caller', text: 'Van maandag, als dat kan. Maandag stond alles er nog in.' },
      { atMs: 20211, who: 'agent', text: 'We maken elke nacht een reservekopie. Ik zet die van maandag terug, in een aparte map. Dan raakt u niets kwijt van gisteren.' },
      { atMs: 30832, who: 'agent', text: 'Hij loopt. Over een kwartiertje ziet u een map met de naam teruggezet.' },
      { atMs: 34898, who: 'caller', text: 'Geweldig. Ik dacht echt dat ik alles kwijt was.' },
      { atMs: 38690, who: 'agent', text: 'Daar zijn we voor. Succes met de offertes!' },
    ],
  },
} as const satisfies Record<string, Transcript>;
