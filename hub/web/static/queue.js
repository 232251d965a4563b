// The cards of the review desk that are on the page: in the desk's order, and never too many.
//
// What one has scrolled past waits beside the page and comes back when one returns; what comes
// next is fetched. Whatever is put in or taken out, what one looks at stays where it is.
(() => {
  "use strict";
  const MOST = 120; // cards on the page
  const SOME = 40; // cards that come back at once
  const NEAR = 1200; // pixels beyond the window from where on more is needed

  window.Queue = class Queue {
    constructor(root) {
      this.root = root;
      this.above = []; // cards scrolled past, the last one nearest
      this.below = [];
      this.shells = new Map(); // groups without their cards, by key
      this.next = root.dataset.next || null;
      this.loading = null;
      this.onload = () => {};
      for (const section of this.sections()) this.know(section);
      let asked = false;
      const look = () => {
        asked = false;
        this.fill();
      };
      addEventListener("scroll", () => {
        if (!asked) requestAnimationFrame(look);
        asked = true;
      }, { passive: true });
    }

    sections() {
      return [...this.root.querySelectorAll(":scope > .group")];
    }

    // Cards that can be decided.
    cards() {
      return [...this.root.querySelectorAll(".sight:not(.leaving):not(.decided)")];
    }

    find(id) {
      return document.getElementById(`s-${id}`);
    }

    know(section) {
      const shell = section.cloneNode(true);
      shell.querySelectorAll(".sight").forEach((card) => card.remove());
      this.shells.set(section.dataset.key, shell);
      section.querySelectorAll(".sight").forEach((card) => (card.dataset.group = section.dataset.key));
    }

    // The list of a group; the group is put in its place if it is not there.
    list(key) {
      let section = this.sections().find((known) => known.dataset.key === key);
      if (!section) {
        section = this.shells.get(key).cloneNode(true);
        this.root.insertBefore(section, this.sections().find((other) => other.dataset.key < key) || null);
      }
      return section.querySelector(".cards");
    }

    // Puts a card in its place, instead of an older one of the same record.
    put(card) {
      const old = this.find(card.dataset.id);
      const held = old && old !== card && old.contains(document.activeElement);
      if (old && old.classList.contains("here")) card.classList.add("here");
      if (old && old !== card) this.drop(old);
      const list = this.list(card.dataset.group);
      const after = [...list.children].find((other) => other.dataset.order < card.dataset.order);
      list.insertBefore(card, after || null);
      if (held) card.focus({ preventScroll: true });
      this.tidy(list.closest(".group"));
    }

    drop(card) {
      const section = card.closest(".group");
      card.remove();
      if (section) this.tidy(section);
    }

    // A group without cards goes; how many of it are sure is said anew.
    tidy(section) {
      if (!section.querySelector(".sight")) return section.remove();
      const live = section.querySelectorAll(".sight:not(.leaving)");
      section.hidden = live.length === 0;
      const sure = [...live].filter((card) => "sure" in card.dataset && !card.classList.contains("decided"));
      const form = section.querySelector(".surely");
      form.hidden = sure.length === 0;
      form.elements.cards.value = sure.map((card) => `${card.dataset.id}:${card.dataset.version}`).join(" ");
      form.dataset.count = sure.length;
      form.dispatchEvent(new Event("count", { bubbles: true }));
      return section;
    }

    // Takes over the cards of a piece of page; says which, and how many wait in all.
    absorb(html, keep = () => true) {
      const piece = new DOMParser().parseFromString(html, "text/html").querySelector(".groups");
      if (!piece) return { cards: [], waiting: null, next: null };
      for (const section of piece.querySelectorAll(".group")) this.know(section);
      const cards = [...piece.querySelectorAll(".sight")].filter(keep).map((card) => document.adoptNode(card));
      this.still(() => cards.forEach((card) => this.put(card)));
      return { cards, waiting: Number(piece.dataset.waiting), next: piece.dataset.next || null };
    }

    // Whether a card comes after everything that is on the page while there is more to fetch.
    isBeyond(card) {
      const last = this.cards().pop();
      if (!last || (!this.next && !this.below.length)) return false;
      const [key, other] = [card.dataset.group, last.dataset.group];
      return key < other || (key === other && card.dataset.order < last.dataset.order);
    }

    // Makes a change without moving what one looks at.
    still(change) {
      const seen = (card) => card.getBoundingClientRect().bottom > 72;
      const fixed = this.root.querySelector(".sight.here:not(.leaving)");
      const held = fixed && seen(fixed) ? fixed : this.cards().find(seen);
      const top = held && held.getBoundingClientRect().top;
      change();
      const works = scrollY > 0 || (held && held.contains(document.activeElement));
      if (works && held && held.isConnected) scrollBy(0, held.getBoundingClientRect().top - top);
    }

    // Fetches or brings back what will be needed soon, and lets go what will not.
    async fill() {
      const box = this.root.getBoundingClientRect();
      if (this.above.length && box.top > -NEAR) this.back(this.above);
      if (box.bottom < innerHeight + NEAR || this.cards().length < 8) await this.more();
      this.trim();
    }

    back(pile) {
      this.still(() => pile.splice(-SOME).reverse().forEach((card) => this.put(card)));
    }

    async more() {
      if (this.below.length) return this.back(this.below);
      if (!this.next) return null;
      this.loading ||= this.load().finally(() => (this.loading = null));
      return this.loading;
    }

    async load() {
      const answer = await fetch(this.next, { headers: { "HX-Request": "true" } }).catch(() => null);
      if (!answer || !answer.ok) return; // the link is still there, and the next scroll tries again
      const { next, waiting } = this.absorb(await answer.text(), (card) => !this.find(card.dataset.id));
      this.next = next;
      this.onload(waiting);
      requestAnimationFrame(() => this.fill());
    }

    trim() {
      const cards = this.cards();
      let over = cards.length - MOST;
      if (over <= 0) return;
      const away = (card, beyond) => !card.classList.contains("here") && beyond(card.getBoundingClientRect());
      const gone = cards.filter((card) => away(card, ({ bottom }) => bottom < -2 * NEAR)).slice(0, over);
      over -= gone.length;
      const later = cards.filter((card) => away(card, ({ top }) => top > innerHeight + 2 * NEAR)).reverse().slice(0, over);
      this.still(() => {
        gone.forEach((card) => this.away(card, this.above));
        later.forEach((card) => this.away(card, this.below));
      });
    }

    away(card, pile) {
      pile.push(card);
      this.drop(card);
    }

    // Forgets a card wherever it is; says whether it was anywhere.
    forget(id) {
      for (const pile of [this.above, this.below]) {
        const at = pile.findIndex((card) => card.dataset.id === id);
        if (at >= 0) return pile.splice(at, 1).length;
      }
      const card = this.find(id);
      if (card) this.still(() => this.drop(card));
      return card ? 1 : 0;
    }
  };
})();
