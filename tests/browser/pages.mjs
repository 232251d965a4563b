// Every page there is, from the hub's own table of routes: nothing is typed here.

// What a browser opens: `{ path, roles, address }`; `things` names one thing of each kind that
// addresses name. A page whose thing is missing is told in `unknown`.
export async function pages(hub, things) {
  const all = JSON.parse(await hub.run("pages"));
  const known = (page) => !page.path.includes("{") || things[page.object];
  const filled = (page) => page.path.replace(/\{([^}]+)\}/g, (_, name) => encodeURIComponent(things[name] ?? things[page.object]));
  return {
    pages: all.filter(known).map((page) => ({ ...page, address: filled(page) })),
    unknown: all.filter((page) => !known(page)).map((page) => `${page.path} (${page.object})`),
  };
}

// A file name for a page's picture.
export const slug = (path) => path.replace(/[^a-z]+/gi, "-").replace(/^-|-$/g, "") || "root";
