// Build of the console. The page is served by api_gateway from the same origin as the API: no CORS, no base path.
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

// Where `npm run dev` finds a running api_gateway.
const devGateway = 'http://127.0.0.1:8080';

// Libraries that change seldom stand in files of their own, so that a new console release leaves them cached.
const groups = [
  { name: 'react', test: /node_modules\/(react|react-dom|scheduler)\// },
  { name: 'antd', test: /node_modules\/(antd|@ant-design|@rc-component|rc-[a-z-]+|dayjs)\// },
  { name: 'vendor', test: /node_modules\// },
];

export default defineConfig(({ mode }) => ({
  plugins: [react()],
  resolve: { alias: { '@': new URL('./src', import.meta.url).pathname } },
  build: {
    outDir: mode === 'mock' ? 'dist-mock' : 'dist',
    target: 'es2022',
    chunkSizeWarningLimit: 1200,
    rolldownOptions: { output: { codeSplitting: { groups } } },
  },
  server: { proxy: { '^/voltwell\\.': { target: devGateway } } },
  test: {
    environment: 'jsdom',
    setupFiles: ['src/testing/setup.ts'],
    testTimeout: 20_000,
    css: false,
  },
}));
