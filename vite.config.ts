import { defineConfig } from 'vite';

/**
 * The screens: `public/` becomes `dist/public/`, hashed files under `/assets/`.
 *
 * The service replaces `__CSP_NONCE__` in every page it answers with, so the built `index.html` is a template.
 * JSX is set up by `public/tsconfig.json`; no plugin is needed.
 */
export default defineConfig({
  root: 'public',
  publicDir: false,
  html: { cspNonce: '__CSP_NONCE__' },
  build: {
    outDir: '../dist/public',
    // Which files a screen needs: the build tells how large that is.
    manifest: true,
    emptyOutDir: true,
    target: 'es2022',
    // The function `light-dark` as it stands, instead of a stand-in for older browsers that could not run the rest.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: true,
  },
});
