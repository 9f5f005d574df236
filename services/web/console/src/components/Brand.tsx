// The mark: a drop and a bolt, for water and electricity.
import { Link } from '@tanstack/react-router';

export function Mark({ size = 28 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden>
      <rect width="32" height="32" rx="8" fill="#0e6573" />
      <path d="M16 4.5c4.6 5.2 8 9.3 8 13.6a8 8 0 0 1-16 0c0-4.3 3.4-8.4 8-13.6z" fill="#fff" />
      <path d="M17.6 11.5l-5.100 7.3h3.3l-1.2 5.2 5.2-7.4h-3.4z" fill="#0e6573" />
    </svg>
  );
}

export function Brand() {
  return (
    <Link to="/" className="brand" aria-label="Voltwell">
      <Mark />
      <span>Voltwell</span>
    </Link>
  );
}
