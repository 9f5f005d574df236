// What a register is called: by the server's table in the user's language, by its OBIS id where the table lacks it.
import { useCallback, useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { useRegisterTable } from '@/api/queries';

export const mainRegisters = {
  electricity: '1-0:1.8.0',
  power: '1-0:1.7.0',
  water: '8-0:1.0.0',
  hotWater: '9-0:1.0.0',
  heat: '6-0:1.0.0',
  gas: '7-0:3.0.0',
} as const;

// What a meter has counted in all, of whatever it measures.
export const totalRegisters: readonly string[] = [
  mainRegisters.electricity,
  mainRegisters.water,
  mainRegisters.hotWater,
  mainRegisters.heat,
  mainRegisters.gas,
];

export interface RegisterTitles {
  titleOf: (register: string) => string;
  // For choosing: id, title, unit.
  options: { value: string; label: string; title: string }[];
}

export function useRegisterTitles(): RegisterTitles {
  const { i18n } = useTranslation();
  const table = useRegisterTable();
  const chinese = i18n.language === 'zh';
  const titles = useMemo(() => {
    const map = new Map<string, string>();
    for (const row of table) {
      if (map.has(row.register)) continue;
      const title = chinese ? row.titleZh : row.titleEn;
      map.set(row.register, title.charAt(0).toUpperCase() + title.slice(1));
    }
    return map;
  }, [table, chinese]);
  const titleOf = useCallback((register: string) => titles.get(register) ?? register, [titles]);
  const options = useMemo(() => {
    const known = [...titles].map(([value, title]) => ({ value, label: title, title: `${title} ${value}` }));
    return known.length > 0 ? known : Object.values(mainRegisters).map((value) => ({ value, label: value, title: value }));
  }, [titles]);
  return { titleOf, options };
}
