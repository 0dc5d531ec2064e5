// The manual as a site: `make docs` builds it into docs/.vitepress/dist.
import { readFileSync } from 'node:fs'
import { defineConfig } from 'vitepress'

const sections = JSON.parse(readFileSync(new URL('../nav.json', import.meta.url), 'utf8'))
const repository = 'https://github.com/kube-sync/kube-sync'

export default defineConfig({
  title: 'kube-sync',
  description: 'A Kong Gateway that configures itself from Kubernetes',
  cleanUrls: true,
  // Pages link to files of the repository beside docs/, which the site has not.
  ignoreDeadLinks: [/^(\.\.\/)+(?!.*\/docs\/)/],
  markdown: {
    config(md) {
      md.core.ruler.push('repository-links', (state) => {
        for (const token of state.tokens.flatMap((t) => t.children ?? [])) {
          const href = token.attrGet?.('href')
          const outside = href && resolved(state.env.relativePath, href)
          if (outside) token.attrSet('href', `${repository}/blob/main/${outside}`)
        }
      })
    },
  },
  themeConfig: {
    search: { provider: 'local' },
    nav: [{ text: 'Source', link: repository }],
    sidebar: sections.map(({ title, pages }) => ({
      text: title,
      items: pages.map(({ file, title }) => ({ text: title, link: '/' + file.replace(/(index)?\.md$/, '') })),
    })),
  },
})

// resolved returns the path of a link within the repository if it leaves docs/, otherwise nothing.
function resolved(page, href) {
  if (/^[a-z]+:|^#|^\//.test(href)) return undefined
  const url = new URL(href, 'file:///docs/' + page)
  const path = url.pathname.slice(1) + url.hash
  return path.startsWith('docs/') ? undefined : path
}
