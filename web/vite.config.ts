// Builds the page into web/dist: static files a strict Content-Security-Policy can serve, no inline anything.
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

/** The page speaks English only, so React Aria's strings for thirty other languages stay out of the bundle. */
function englishOnly(): Plugin {
  const locale = /\/(?:intl|i18n)\/(?:.*\/)?(?!en-US)[a-z]{2}-[A-Z]{2}\.(?:m?js|json)$/;
  return {
    name: 'interlock:english-only',
    enforce: 'pre',
    load: (id) => (locale.test(id) ? 'export default {}' : null),
  };
}

export default defineConfig({
  root: import.meta.dirname,
  plugins: [englishOnly(), react()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    // Browsers with `light-dark()` and `color-mix()`, which the design tokens are written in.
    target: ['chrome123', 'edge123', 'firefox128', 'safari17.5'],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  server: {
    host: '127.0.0.1',
    // `vite web` beside a running server: INTERLOCK_URL says where it is.
    proxy: { '/v1': process.env.INTERLOCK_URL ?? 'http://127.0.0.1:7070' },
  },
});
