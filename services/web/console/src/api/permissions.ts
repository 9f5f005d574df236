// What the signed-in user may do. Buttons follow it; the server decides all the same.
import { useMe } from './queries';

export function holds(permissions: readonly string[], permission: string): boolean {
  return permissions.includes('*') || permissions.includes(permission);
}

export function useCan(permission: string): boolean {
  const me = useMe();
  return holds(me.data?.permissions ?? [], permission);
}
