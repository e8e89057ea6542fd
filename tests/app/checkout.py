"""A made-up checkout of the app with every kind of caller.

A line that must be reported ends in a comment: `FOUND kind name, kind name`. No other may be.
"""

from pathlib import Path

FILES = {
    "apps/web/app/api/enhance-image/route.ts": """
import { supabaseAdmin } from '@/lib/supabase';
// credit_pools and consume_platform_credits are told of here, not used.
/* fetch('/api/admin/refill-credits') */
export async function POST(request: Request) {
  await supabaseAdmin.rpc('consume_platform_credits', { // FOUND function consume_platform_credits
    p_provider: providerUsed,
    p_user_id: user.id,
    p_user_credits: USER_CREDITS_PER_ENHANCEMENT,
    p_operation_type: enhancementType,
    p_task_id: taskId,
    p_moodboard_id: moodboardId,
  });
  await supabaseAdmin.rpc("consume_user_credits", { p_user_id: user.id, p_credits: 2 });
  await supabaseAdmin.from('credit_transactions').insert({ provider: 'nanobanana', cost_usd: 0.1 });
}
""",
    "apps/web/app/api/admin/credit-stats/route.ts": """
import { supabase } from '@/lib/supabase'; // line 2, the file itself is named at line 1
const { data: pools } = await supabase
  .from('credit_pools') // FOUND table credit_pools
  .select('provider, available_balance'); // FOUND column available_balance
const total = pools.reduce((sum, pool) => sum + pool.available_balance, 0); // FOUND column available_balance
const answer = { platformCreditsRemaining: total }; // FOUND field platformCreditsRemaining
""",
    "apps/web/app/api/admin/refill-credits/route.ts": """
const low = 'low_platform_credits'; // FOUND alert low_platform_credits
""",
    "apps/web/app/components/CreditManagementDashboard.tsx": """
const [a, b] = await Promise.all([
  fetch('/api/admin/credit-stats'), // FOUND route credit-stats
  fetch('/api/admin/alerts'), // FOUND route alerts
]);
await fetch(`${origin}/api/admin/refill-credits?now=1`, { method: 'POST' }); // FOUND route refill-credits
export const Pool = ({ stats }: Props) => (
  <p title="credits">
    {stats.platformCreditsRemaining} {/* FOUND field platformCreditsRemaining */}
    <a href="/admin/users">alerts, credit-stats</a>
  </p>
);
""",
    "apps/web/app/components/PaymentDialog.tsx": """
const balance = await axios.get<Stats>('/api/admin/credit-stats'); // FOUND route credit-stats
""",
    "apps/web/app/api/credits/purchase/route.ts": """
const TABLE = 'credit_' + 'pools'; // FOUND table credit_pools
const { data } = await supabase.from(TABLE).select('*').single();
const { available_balance: balance, cost_per_credit } = data; // FOUND column available_balance, column cost_per_credit
""",
    "apps/web/app/api/platform-status/route.ts": """
const rows = await sql<Pool[]>`
  -- credit_pools in a comment of SQL
  select provider, 'credit_pools are old' as note -- FOUND table credit_pools
  from public.credit_pools as pool -- FOUND table credit_pools
  where pool.available_balance < ${limit} -- FOUND column available_balance
`;
const url = `${process.env.SUPABASE_URL}/rest/v1/credit_pools?select=*`; // FOUND table credit_pools
const rpc = BASE + "/rest/v1/rpc/consume_platform_credits"; // FOUND function consume_platform_credits
const prefix = 'credit';
const name = `${prefix}_purchase_requests`; // FOUND table credit_purchase_requests
const some = await fetch(`/api/admin/${action}`); // FOUND route \N{REPLACEMENT CHARACTER}
const user = await fetch(`/api/admin/users/${id}`);
const words = 'credit_poolside and my_credit_pools';
""",
    "apps/web/lib/credit-manager.ts": """
export class CreditManager {
  async low(type: string) {
    if (type === "credit_refill_failed") return; // FOUND alert credit_refill_failed
    const embedded = await this.db.from('providers').select('id, credit_pools(id)'); // FOUND table credit_pools
    await this.db.rpc('sync_analytics_data'); // FOUND dependent sync_analytics_data
    await this.db.rpc('consume_platform_credits', { p_provider: p, p_credits: 1, p_cost: 0.1 }); // FOUND function consume_platform_credits
    console.warn(`no credit_pools for ${type}`); // FOUND table credit_pools
  }
  old = <Pool>this.db.pools;
}
type Row = Database['public']['Tables']['credit_pools']['Row']; // FOUND table credit_pools
""",
    "apps/web/types/database.types.ts": """
export interface Database {
  public: {
    Tables: {
      credit_pools: { // FOUND table credit_pools
        Row: {
          available_balance: number | null // FOUND column available_balance
          provider: string
        }
      }
      user_credits: { Row: { current_balance: number } }
    }
    Functions: {
      consume_platform_credits: { // FOUND function consume_platform_credits
        Args: { p_cost: number }
      }
    }
  }
}
""",
    "apps/web/app/api/cron/daily-summary/route.ts": """
const alerts = await db.from('system_alerts').select('*')
  .in('type', ['low_platform_credits', 'api_failure']); // FOUND alert low_platform_credits
""",
    "supabase/migrations/001_pools.sql": """
-- create table credit_pools
CREATE TABLE IF NOT EXISTS public.credit_pools ( -- FOUND table credit_pools
    id uuid primary key, provider varchar(50), "auto_refill_amount" numeric -- FOUND column auto_refill_amount
);
alter table "credit_pools" enable row level security; -- FOUND table credit_pools
create policy p on credit_pools for select using (true); -- FOUND table credit_pools
/* drop table credit_pools; /* nested */ */
create or replace function consume_platform_credits( -- FOUND function consume_platform_credits
    p_provider varchar, p_credits integer, p_cost numeric
) returns void language plpgsql as $body$
begin
    -- credit_pools
    update Credit_Pools set total_consumed = 1; -- FOUND table credit_pools, column total_consumed
    execute 'delete from credit_purchase_requests'; -- FOUND table credit_purchase_requests
end
$body$;
create function consume_platform_credits(
    p_provider varchar, p_user_id uuid, p_user_credits integer, p_type varchar, p_task uuid, p_board uuid
) returns boolean language sql as $$ select true $$;
create function sync_analytics_data() returns jsonb language sql as $$
    select to_jsonb(sum(available_balance)) from credit_pools -- FOUND column available_balance, table credit_pools
$$;
create view pool_status as
select provider from credit_pools; -- FOUND table credit_pools
select cron.schedule('hourly', '0 * * * *', 'select sync_analytics_data()'); -- FOUND dependent sync_analytics_data
select consume_platform_credits('wan', 1, 0.1); -- FOUND function consume_platform_credits
insert into system_alerts (type, message) values ('credit_refill_success', 'it''s done'); -- FOUND alert credit_refill_success
drop table if exists credit_purchase_requests cascade; -- FOUND table credit_purchase_requests
create table credit_pools_backup (id uuid);
""",
    "supabase/migrations/002_views.sql": """
create view weekly as select * from pool_status; -- FOUND dependent pool_status
select * from weekly; -- FOUND dependent weekly
select provider as pool_status from api_providers;
""",
    "supabase/dump.sql": """
\\restrict abc
COPY public.system_alerts (id, message) FROM stdin;
1	it's low: credit_pools of "wan
\\.
COPY public.credit_pools (id) FROM stdin; -- FOUND table credit_pools
""",
    "scripts/refill.sh": """#!/usr/bin/env bash
# curl /api/admin/refill-credits
set -e
curl -fsS -X POST "$APP_URL"/api/admin/refill-credits -d '{"amount": 500}' # FOUND route refill-credits
curl "https://$HOST/rest/v1/credit_pools?select=provider" # FOUND table credit_pools
pg_dump --table=credit_pools -t public.credit_purchase_requests > x # FOUND table credit_pools, table credit_purchase_requests
psql -c "select available_balance from credit_pools" # FOUND column available_balance, table credit_pools
psql <<SQL
select 1; -- credit_pools
truncate credit_pools; -- FOUND table credit_pools
SQL
BALANCE=$(psql -Atc 'select sum(total_purchased) from credit_pools') # FOUND column total_purchased, table credit_pools
echo "users: $(psql -c 'select count(*) from user_credits')"
""",
    "scripts/nightly": """#!/bin/sh
curl -s http://localhost:3000/api/admin/refill-credits # FOUND route refill-credits
""",
    ".github/workflows/refill.yml": """
on: {schedule: [{cron: "0 9 * * *"}]} # /api/admin/refill-credits
jobs:
  refill:
    steps:
      - run: |
          echo start
          curl -X POST $URL/api/admin/refill-credits # FOUND route refill-credits
""",
    "vercel.json": """{
  "crons": [
    {"path": "/api/admin/refill-credits", "schedule": "0 * * * *"}
  ]
}
""",
    "docs support/credit_management_system.md": "# Pools\n\nThe table `credit_pools`.\n",
    "node_modules/pool/index.js": "db.from('credit_pools')\n",
    "apps/web/app/page.tsx": "export default () => <p>credit_pools, refill-credits</p>;\n",
    "apps/web/app/api/providers/route.ts": "await db.from('api_providers').select('name');\n",
}
BESIDE = {
    ("vercel.json", 3, "route", "refill-credits"),
    ("apps/web/app/api/admin/credit-stats/route.ts", 1, "file", "api/admin/credit-stats/route"),
    ("apps/web/app/api/admin/refill-credits/route.ts", 1, "file", "api/admin/refill-credits/route"),
    (
        "apps/web/app/components/CreditManagementDashboard.tsx",
        1,
        "file",
        "components/CreditManagementDashboard",
    ),
    (
        "docs support/credit_management_system.md",
        1,
        "file",
        "docs support/credit_management_system",
    ),
}


def write(root: Path, files: dict[str, str] = FILES) -> Path:
    """Write the files below a folder."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def expected() -> set[tuple[str, int, str, str]]:
    """Path, line, kind and name of everything that is marked."""
    marked = set()
    for path, text in FILES.items():
        for number, line in enumerate(text.split("\n"), start=1):
            _, mark, names = line.partition(" FOUND ")
            for each in names.replace("*/}", "").split(",") if mark else []:
                kind, name = each.split()
                marked.add((path, number, kind, name))
    return marked | BESIDE
