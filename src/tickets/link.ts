import type { Database } from '../platform/database.js';

export interface LinkedTicket {
  id: string;
  number: string;
  subject: string | null;
}

export function sameTicket(recording: string, valueSql: string): string {
  return `${recording}.ticket_number = ${valueSql}`;
}

export async function ticketsOfRecordings(_database: Database, _recordingIds: readonly string[], _now: Date): Promise<Map<string, LinkedTicket[]>> {
  return new Map();
}
