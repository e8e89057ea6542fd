/** What `GET /api/admin/credit-stats` answers. Costs are US dollars; rates are percent, null for N/A. */
export interface CreditStats {
  /** The moment that all figures are for. */
  asOf: string;
  /** Where days and months are cut. */
  reportingTimezone: string;

  activeUsersToday: number;
  generationsToday: number;
  costTodayUsd: number;
  generationsThisMonth: number;
  costThisMonthUsd: number;
  successRate7DaysPct: number | null;
  successRate: number | null;
  failureRate: number | null;
  refundsLast7Days: number;
  creditsRefundedLast7Days: number;
  refundsThisMonth: number;
  usersWithCredits: number;
  totalCreditsInCirculation: number;
  generationsWithoutCostToday: number;
  generationsWithoutCostThisMonth: number;
  providerUsage: ProviderUsage[];

  /** @deprecated There is no pool: always 0. */
  platformCreditsRemaining: number;
  /** Credits charged today. */
  dailyUsage: number;
  /** @deprecated The same as `usersWithCredits`. */
  activeUsers: number;
  /** @deprecated `costThisMonthUsd` as text. */
  monthlyCost: string;
  providers: Provider[];

  todayStats: PeriodStats;
  monthStats: PeriodStats & { successRate: number | null; failureRate: number | null };
  userStats: {
    usersWithCredits: number;
    totalCreditsInCirculation: number;
    creditsByTier: Record<string, TierCredits>;
  };
  recentFailures: RecentFailure[];
  systemHealth: {
    status: 'healthy' | 'degraded' | 'failing' | 'idle';
    tasksLast24h: number;
    failureLast24h: number;
    stuck: number;
  };
  /** Whether the headline figures can be trusted; the worst status of all, and each with its findings. */
  dataQuality: {
    status: Trust;
    figures: { figure: string; status: Trust; findings: string }[];
  };
}

export type Trust = 'pass' | 'warn' | 'doubt';

export interface PeriodStats {
  activeUsers: number;
  generations: number;
  successful: number;
  failed: number;
  cost: number;
}

export interface ProviderUsage {
  name: string;
  generations: number;
  costUsd: number;
  avgCostPerGeneration: number | null;
}

export interface Provider {
  name: string;
  totalCalls: number;
  successful: number;
  failed: number;
  successRate: number | null;
  totalCost: number;
  costPerRequest: number | null;
  isHealthy: boolean | null;
  /** @deprecated There is no pool: always 0. */
  creditsRemaining: number;
}

export interface TierCredits {
  count: number;
  totalCredits: number;
  totalConsumed: number;
}

export interface RecentFailure {
  id: string;
  provider: string;
  error: string | null;
  time: string;
}

/** The answer instead of figures. */
export interface CreditStatsError {
  error: string;
}
