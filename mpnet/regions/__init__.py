"""Clusters of variables: elimination orders, join trees and join graphs, and passing tables on them."""
