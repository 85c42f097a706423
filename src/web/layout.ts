import type { Assets } from './assets.ts'
import { icon, iconSheet } from './components/icon.ts'
import { notice } from './components/notice.ts'
import { html, type Html } from './html.ts'
import { type Theme, themes } from './theme.ts'

/** What a page says for itself. */
export interface Page {
  readonly title: string
  readonly content: Html
  /** Whose page it is; nobody's before signing in. */
  readonly user?: { readonly fname: string } | undefined
  /** Which of the navigation's pages it is. */
  readonly current?: 'home' | 'account'
}

/** What the request adds to every page. */
export interface Surroundings {
  readonly assets: Assets
  readonly theme: Theme
  readonly flash: { readonly name: string; readonly text: string } | undefined
  /** Where this page is, for coming back to it. */
  readonly url: string
}

/** The whole document around a page's content. */
export const layout = (
  page: Page,
  { assets, theme, flash, url }: Surroundings,
): Html => html`<!doctype html>
<html lang="en" data-theme="${theme}">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <meta name="description" content="Your todos, on your own machine.">
  <title>${page.title} · Todo App</title>
  <link rel="stylesheet" href="${assets.style}">
  <link rel="icon" href="${assets.icon}" type="image/svg+xml">
  <link rel="apple-touch-icon" href="${assets.touchIcon}">
  <link rel="manifest" href="${assets.manifest}">
  <script type="module" src="${assets.script}"></script>
</head>
<body>
  <a class="skip-link" href="#main">Skip to the content</a>
  ${iconSheet()}
  <header class="site-header">
    <a class="brand" href="${page.user ? '/home' : '/'}">
      <img src="${assets.icon}" alt="" width="28" height="28">Todo App
    </a>
    ${page.user && navigation(page.user, page.current)}
  </header>
  <main id="main" tabindex="-1" ${flash && html`data-flash="${flash.name}"`}>
    ${flash && notice(flash.text)}
    ${page.content}
  </main>
  <footer class="site-footer">${themeSwitch(theme, url)}</footer>
</body>
</html>`

const navigation = ({ fname }: { fname: string }, current: Page['current']): Html => html`
  <nav aria-label="Account">
    <a class="nav-item" href="/account" ${current === 'account' && html`aria-current="page"`}>
      ${icon('person')}<span class="nav-text">${fname}<span class="sr-only">, your account</span></span>
    </a>
    <form method="post" action="/logout">
      <button class="nav-item">${icon('leave')}<span class="nav-text">Sign out</span></button>
    </form>
  </nav>`

const themeNames: Readonly<Record<Theme, string>> = {
  system: 'As the system',
  light: 'Light',
  dark: 'Dark',
}

/** Works as a form; the pages' script spares the way to the server. */
const themeSwitch = (chosen: Theme, url: string): Html => html`
  <form class="theme-switch" method="post" action="/theme">
    <input type="hidden" name="next" value="${url}">
    <fieldset>
      <legend class="sr-only">Colours</legend>
      ${themes.map(
        (theme) => html`
      <button name="theme" value="${theme}" aria-pressed="${String(theme === chosen)}">${themeNames[theme]}</button>`,
      )}
    </fieldset>
  </form>`
