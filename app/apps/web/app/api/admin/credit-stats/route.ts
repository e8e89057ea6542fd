import { createClient } from '@supabase/supabase-js';
import { type NextRequest, NextResponse } from 'next/server';
import postgres from 'postgres';

import type { CreditStats, CreditStatsError } from './types';

export const runtime = 'nodejs';
export const dynamic = 'force-dynamic';

/** Where the app says who is an administrator: the same as in the other routes of `api/admin`. */
const ADMINS = {
  table: 'users_profile',
  userColumn: 'user_id',
  typeColumn: 'account_type',
  type: 'admin',
} as const;

const TIMEOUT_SECONDS = 10;

type Answer = NextResponse<CreditStats | CreditStatsError>;

/** A sentence for the administrator. */
class Problem extends Error {}

export async function GET(request: NextRequest): Promise<Answer> {
  try {
    if (!(await isAdmin(request))) {
      return answer({ error: 'Unauthorized' }, 401);
    }
    return answer(await readStats(), 200);
  } catch (error) {
    console.error('credit-stats:', error);
    return answer({ error: error instanceof Problem ? error.message : sentence(error) }, 500);
  }
}

function answer(body: CreditStats | CreditStatsError, status: number): Answer {
  return NextResponse.json(body, { status, headers: { 'Cache-Control': 'no-store' } });
}

/** Whether the token is of an administrator. The profile is read with that token, by its policies. */
async function isAdmin(request: NextRequest): Promise<boolean> {
  const token = /^Bearer (\S+)$/i.exec(request.headers.get('authorization') ?? '')?.[1];
  if (!token) {
    return false;
  }
  const supabase = createClient(
    setting('NEXT_PUBLIC_SUPABASE_URL', process.env.NEXT_PUBLIC_SUPABASE_URL),
    setting('NEXT_PUBLIC_SUPABASE_ANON_KEY', process.env.NEXT_PUBLIC_SUPABASE_ANON_KEY),
    {
      auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
      global: { headers: { Authorization: `Bearer ${token}` } },
    },
  );
  const { data, error } = await supabase.auth.getUser(token);
  if (error && (error.status ?? 0) >= 400 && (error.status ?? 0) < 500) {
    return false;
  }
  if (error) {
    throw new Problem('Who is asking cannot be checked now: try again in a moment.', {
      cause: error,
    });
  }
  const profile = await supabase
    .from(ADMINS.table)
    .select(ADMINS.typeColumn)
    .eq(ADMINS.userColumn, data.user.id)
    .maybeSingle<Record<typeof ADMINS.typeColumn, string | string[] | null>>();
  if (profile.error) {
    throw new Problem('Who is asking cannot be checked now: try again in a moment.', {
      cause: profile.error,
    });
  }
  return [profile.data?.[ADMINS.typeColumn] ?? []]
    .flat()
    .some((type) => type.toLowerCase() === ADMINS.type);
}

let connections: postgres.Sql | undefined;

/** One row that each run of paygen writes. All names carry their schema: nothing else is resolved. */
async function readStats(): Promise<CreditStats> {
  // `prepare: false` and no other setting of the session: a pooler of transactions does as well.
  connections ??= postgres(
    setting('ANALYTICS_DATABASE_URL', process.env.ANALYTICS_DATABASE_URL),
    { max: 2, prepare: false, fetch_types: false, connect_timeout: 5, idle_timeout: 20 },
  );
  const query = connections<
    { stats: CreditStats }[]
  >`select dashboard_stats.stats from analytics.dashboard_stats`;
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      query.cancel();
      reject(new Problem(`The marts did not answer within ${TIMEOUT_SECONDS} seconds.`));
    }, TIMEOUT_SECONDS * 1000);
  });
  try {
    const [row] = await Promise.race([query, timeout]);
    if (!row) {
      throw new Problem('analytics.dashboard_stats has no row: run paygen once.');
    }
    return row.stats;
  } finally {
    clearTimeout(timer);
  }
}

function setting(name: string, value: string | undefined): string {
  if (!value) {
    throw new Problem(`${name} is not set on the server.`);
  }
  return value;
}

/** What an administrator can do about an error; its text stays in the server's log. */
function sentence(error: unknown): string {
  switch (error instanceof Error && 'code' in error ? error.code : undefined) {
    case '42P01': // undefined_table
    case '3F000': // invalid_schema_name
    case '42703': // undefined_column
      return 'analytics.dashboard_stats is missing or of another version: run paygen once.';
    case '42501': // insufficient_privilege
      return "This route's role may not read analytics.dashboard_stats: add it to reader_roles and run paygen.";
    case '28000':
    case '28P01':
      return "The database refuses this route's role or password.";
    default:
      return 'The marts cannot be read now: try again in a moment.';
  }
}
