import CreditManagementDashboard from './components/CreditManagementDashboard';

export default function Page() {
  return <CreditManagementDashboard />;
}
