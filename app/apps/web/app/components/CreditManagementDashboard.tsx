'use client';

import { createClient, type SupabaseClient } from '@supabase/supabase-js';
import { Activity, AlertTriangle, DollarSign, RefreshCw, RotateCcw, Users } from 'lucide-react';
import { type ReactNode, useCallback, useEffect, useRef, useState } from 'react';

import type { CreditStats, CreditStatsError } from '../api/admin/credit-stats/types';

const REFRESH_SECONDS = 30;
const STALE_HOURS = 26;

interface Props {
  /** Answers the signed-in user's access token; by default that of supabase-js's own session. */
  getAccessToken?: () => Promise<string | null>;
}

let browserClient: SupabaseClient | undefined;

async function sessionToken(): Promise<string | null> {
  browserClient ??= createClient(
    process.env.NEXT_PUBLIC_SUPABASE_URL ?? '',
    process.env.NEXT_PUBLIC_SUPABASE_ANON_KEY ?? '',
  );
  const { data } = await browserClient.auth.getSession();
  return data.session?.access_token ?? null;
}

async function fetchStats(token: string | null, signal: AbortSignal): Promise<CreditStats> {
  if (!token) {
    throw new Error('Sign in as an administrator to see the figures.');
  }
  const response = await fetch('/api/admin/credit-stats', {
    headers: { Authorization: `Bearer ${token}` },
    cache: 'no-store',
    signal,
  });
  const body = (await response.json().catch(() => null)) as CreditStats | CreditStatsError | null;
  if (body === null || 'error' in body || !response.ok) {
    if (response.status === 401) {
      throw new Error('Only administrators may see the figures.');
    }
    throw new Error(
      body !== null && 'error' in body ? body.error : `The server answered ${response.status}.`,
    );
  }
  return body;
}

const count = (value: number) => value.toLocaleString('en-US');
const dollars = (value: number, digits = 2) =>
  value.toLocaleString('en-US', {
    style: 'currency',
    currency: 'USD',
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
const percent = (value: number | null) => (value === null ? 'N/A' : `${value.toFixed(2)}%`);
const many = (value: number, one: string, more = `${one}s`) =>
  `${count(value)} ${value === 1 ? one : more}`;

export default function CreditManagementDashboard({ getAccessToken = sessionToken }: Props) {
  const [stats, setStats] = useState<CreditStats | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [isLoading, setIsLoading] = useState(true);
  const running = useRef<AbortController | null>(null);

  const refresh = useCallback(async () => {
    running.current?.abort();
    const controller = new AbortController();
    running.current = controller;
    setIsLoading(true);
    try {
      const answer = await fetchStats(await getAccessToken(), controller.signal);
      if (!controller.signal.aborted) {
        setStats(answer);
        setProblem(null);
      }
    } catch (error) {
      if (!controller.signal.aborted) {
        setProblem(
          error instanceof TypeError || !(error instanceof Error)
            ? 'The server cannot be reached.'
            : error.message,
        );
      }
    } finally {
      if (!controller.signal.aborted) {
        setIsLoading(false);
      }
    }
  }, [getAccessToken]);

  useEffect(() => {
    void refresh();
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') {
        void refresh();
      }
    }, REFRESH_SECONDS * 1000);
    return () => {
      clearInterval(timer);
      running.current?.abort();
    };
  }, [refresh]);

  return (
    <main className="mx-auto max-w-7xl space-y-6 p-6">
      <header className="flex flex-wrap items-center justify-between gap-4">
        <div>
          <h1 className="text-3xl font-bold text-foreground">Usage and costs</h1>
          {stats && <AsOf stats={stats} />}
        </div>
        <button
          type="button"
          onClick={() => void refresh()}
          disabled={isLoading}
          className="flex items-center gap-2 rounded-md bg-primary px-4 py-2 text-primary-foreground disabled:opacity-50"
        >
          <RefreshCw aria-hidden className="h-4 w-4" />
          Refresh
        </button>
      </header>
      {problem && (
        <p role="alert" className="rounded-lg border border-destructive/20 bg-destructive/10 p-4">
          {problem}
          {stats && ' The figures below are the last that were read.'}
        </p>
      )}
      {!stats && !problem && <p role="status">Loading the figures…</p>}
      {stats && <Figures stats={stats} />}
    </main>
  );
}

function AsOf({ stats }: { stats: CreditStats }) {
  const hours = (Date.now() - Date.parse(stats.asOf)) / 3_600_000;
  return (
    <p className="text-sm text-muted-foreground">
      As of <time dateTime={stats.asOf}>{moment(stats.asOf, stats.reportingTimezone)}</time>
      {hours > STALE_HOURS && `: ${count(Math.floor(hours))} hours old, runs may have stopped`}
    </p>
  );
}

function moment(time: string, timeZone: string): string {
  return new Date(time).toLocaleString('en-US', {
    timeZone,
    dateStyle: 'medium',
    timeStyle: 'long',
  });
}

function Figures({ stats }: { stats: CreditStats }) {
  const { monthStats, todayStats, userStats, systemHealth } = stats;
  const unknown = stats.generationsWithoutCostThisMonth;
  return (
    <>
      <section aria-label="This month" className="grid grid-cols-1 gap-6 md:grid-cols-3">
        <Card id="usage" icon={<Activity aria-hidden />} title="Usage This Month">
          {many(monthStats.generations, 'generation')}
          <Note>
            {many(todayStats.generations, 'generation')} today by {many(todayStats.activeUsers, 'user')}
          </Note>
        </Card>
        <Card id="success" icon={<Activity aria-hidden />} title="Success Rate">
          {monthStats.successRate === null ? 'N/A (no data yet)' : percent(monthStats.successRate)}
          <Note>Last 7 days: {percent(stats.successRate)}</Note>
        </Card>
        <Card id="cost" icon={<DollarSign aria-hidden />} title="WaveSpeed Costs This Month">
          {dollars(monthStats.cost)}
          <Note>
            {dollars(todayStats.cost)} today
            {unknown > 0 && `; ${many(unknown, 'generation')} of unknown cost`}
          </Note>
        </Card>
        <Card id="users" icon={<Users aria-hidden />} title="Active Users">
          {many(userStats.usersWithCredits, 'user')} with credits
          <Note>
            {many(monthStats.activeUsers, 'user')} with a generation this month;{' '}
            {count(userStats.totalCreditsInCirculation)} credits in circulation
          </Note>
        </Card>
        <Card id="failure" icon={<AlertTriangle aria-hidden />} title="Failure Rate">
          {monthStats.failureRate === null ? 'N/A (no data yet)' : percent(monthStats.failureRate)}
          <Note>
            {count(systemHealth.failureLast24h)} of {many(systemHealth.tasksLast24h, 'generation')}{' '}
            failed in 24 hours: {systemHealth.status}
            {systemHealth.stuck > 0 && `, ${count(systemHealth.stuck)} stuck`}
          </Note>
        </Card>
        <Card id="refunds" icon={<RotateCcw aria-hidden />} title="Refunds Issued">
          {count(stats.refundsThisMonth)}
          <Note>
            {count(stats.refundsLast7Days)} in 7 days, {count(stats.creditsRefundedLast7Days)} credits
          </Note>
        </Card>
      </section>
      <Table
        id="providers"
        title="Provider Breakdown, this month"
        head={['Provider', 'Calls', 'Completed', 'Failed', 'Success', 'Cost', 'Per call', 'Last 24 hours']}
        rows={stats.providers.map((provider) => [
          provider.name,
          count(provider.totalCalls),
          count(provider.successful),
          count(provider.failed),
          percent(provider.successRate),
          dollars(provider.totalCost),
          provider.costPerRequest === null ? 'N/A' : dollars(provider.costPerRequest, 4),
          provider.isHealthy === null ? 'N/A' : provider.isHealthy ? 'working' : 'mostly failing',
        ])}
        empty="No provider has been called."
      />
      <Table
        id="tiers"
        title="Credits by tier"
        head={['Tier', 'Users', 'Credits now', 'Used this month']}
        rows={Object.entries(userStats.creditsByTier)
          .sort(([one], [other]) => one.localeCompare(other))
          .map(([tier, credits]) => [
            tier,
            count(credits.count),
            count(credits.totalCredits),
            count(credits.totalConsumed),
          ])}
        empty="No user has a balance."
      />
      <Table
        id="failures"
        title="Last failures, 7 days"
        head={['When', 'Provider', 'Error', 'Generation']}
        rows={stats.recentFailures.map((failure) => [
          moment(failure.time, stats.reportingTimezone),
          failure.provider,
          failure.error ?? 'not recorded',
          failure.id,
        ])}
        empty="Nothing failed."
      />
    </>
  );
}

function Card({ id, icon, title, children }: { id: string; icon: ReactNode; title: string; children: ReactNode }) {
  return (
    <article id={id} className="rounded-lg border border-border bg-background p-6">
      <h2 className="mb-2 flex items-center gap-2 font-semibold text-foreground">
        {icon}
        {title}
      </h2>
      <div className="text-2xl font-bold text-foreground">{children}</div>
    </article>
  );
}

function Note({ children }: { children: ReactNode }) {
  return <p className="text-sm font-normal text-muted-foreground">{children}</p>;
}

function Table({ id, title, head, rows, empty }: { id: string; title: string; head: string[]; rows: string[][]; empty: string }) {
  return (
    <section className="overflow-x-auto rounded-lg border border-border bg-background p-6">
      <h2 id={`${id}-title`} className="mb-4 text-lg font-semibold text-foreground">
        {title}
      </h2>
      {rows.length === 0 ? (
        <p>{empty}</p>
      ) : (
        <table id={id} aria-labelledby={`${id}-title`} className="w-full text-left text-sm">
          <thead>
            <tr>
              {head.map((name) => (
                <th key={name} scope="col" className="pr-4 font-medium text-muted-foreground">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((cells, row) => (
              <tr key={row}>
                {cells.map((cell, column) => (
                  <td key={head[column]} className="py-1 pr-4 text-foreground">
                    {cell}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
