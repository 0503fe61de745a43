mod flooding;
mod random_walk;
mod searching;
mod superpeer;
mod swarm;
